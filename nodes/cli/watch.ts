import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import type { Command } from "commander";
import {
  type WatchFlagsResponse,
  WatchFlagsResponseSchema,
} from "../../gen/headwater/v1/nodes_pb.ts";
import { backoffMsMax, backoffMsMin } from "../../relay/cadence.ts";
import { formatDuration } from "../../relay/duration.ts";
import { HeadwaterError } from "../error.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "./command.ts";
import { type ExitCode, exitCode } from "./exit-code.ts";
import { parseFlagPath, parseProject } from "./flag/flag-path.ts";
import { formatJsonLine } from "./output.ts";
import type { Terminal } from "./terminal.ts";
import { formatClock } from "./time-text.ts";

export function addWatchCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "watch",
    summary: "print effective flags as they change",
    details:
      "First all as they are, then a line for each change, until interrupted, or until nobody " +
      "reads them. A node that goes away is waited for. With --json each line is a JSON value.",
    examples: ["headwater watch", "headwater watch horizon --json"],
  })
    .argument("[PROJECT]", "only this project")
    .action(
      answer(context, async (project: string | undefined, options: CommonOptions) => {
        const name = project === undefined ? "" : parseProject(project);
        return new Watch(context, { project: name, json: options.json === true }).run();
      }),
    );
}

class Watch {
  readonly #context: CommandContext;
  readonly #project: string;
  readonly #json: boolean;
  readonly #signal: AbortSignal;
  /** What was printed last of each flag, so that a new connection does not repeat it. */
  readonly #said = new Map<string, string>();
  #failuresCount = 0;
  #wasConnected = false;

  constructor(context: CommandContext, of: { project: string; json: boolean }) {
    this.#context = context;
    this.#project = of.project;
    this.#json = of.json;
    const { terminal } = context;
    terminal.hush();
    this.#signal = AbortSignal.any([terminal.untilInterrupted(), terminal.untilUnread()]);
  }

  async run(): Promise<ExitCode> {
    while (!this.#signal.aborted) {
      const reason = await this.#connect();
      if (this.#signal.aborted) break;
      await this.#pause(reason);
    }
    return exitCode.done;
  }

  /**
   * Prints until the stream ends; why it did.
   * @throws when the node refuses, and when it was never there
   */
  async #connect(): Promise<string> {
    try {
      await this.#sayGone();
      const stream = this.#context
        .admin()
        // A stream has no deadline.
        .nodes.watchFlags({ project: this.#project }, { signal: this.#signal, timeoutMs: 0 });
      let isOpen = false;
      for await (const change of stream) {
        // Only now is it sure that the stream tells of all that goes from here on.
        if (!isOpen) await this.#sayGone();
        isOpen = true;
        this.#take(change);
      }
      this.#wasConnected = true;
      return "the node has ended the stream";
    } catch (thrown) {
      const { kind, message } = HeadwaterError.from(thrown);
      const isGone = kind === "unreachable" || kind === "unavailable";
      if (this.#signal.aborted || (isGone && this.#wasConnected)) return message;
      throw thrown;
    }
  }

  /** Flags that went while there was no stream: one begins with those that are there. */
  async #sayGone(): Promise<void> {
    const admin = this.#context.admin();
    const paths = [...this.#said.keys()].map(parseFlagPath);
    for (const project of new Set(paths.map((path) => path.project))) {
      const ledger = await admin.ledgers
        .getLedger({ project }, { signal: this.#signal })
        .catch(noneWhereNotHeld);
      if (ledger?.position === undefined) continue;
      const { freshness } = ledger;
      const held = new Set(ledger.entries.map(({ key }) => key));
      const gone = paths.filter((one) => one.project === project && !held.has(`flag/${one.flag}`));
      const atMs = BigInt(this.#context.terminal.wallMs());
      for (const path of gone)
        this.#take(create(WatchFlagsResponseSchema, { ...path, atMs, freshness }));
    }
  }

  #take(change: WatchFlagsResponse): void {
    this.#wasConnected = true;
    this.#failuresCount = 0;
    const key = `${change.project}/${change.flag}`;
    const said = this.#said.get(key);
    // What went was told of already, or came and went between two lines.
    if (change.says === "" && said === undefined) return;
    if (change.initial && said === change.says) return;
    if (change.says === "") this.#said.delete(key);
    else this.#said.set(key, change.says);
    const { terminal } = this.#context;
    terminal.print(this.#json ? formatJsonLine(change) : changeText(change, terminal));
  }

  /** Full jitter between nothing and a bound that doubles. */
  async #pause(reason: string): Promise<void> {
    const boundMs = Math.min(backoffMsMax, backoffMsMin * 2 ** this.#failuresCount);
    this.#failuresCount++;
    const waitMs = Math.round(Math.random() * boundMs);
    this.#context.terminal.note(`lost the node: ${reason}; again in ${formatDuration(waitMs)}`);
    await sleep(waitMs, undefined, { signal: this.#signal }).catch(() => undefined);
  }
}

/** A node that has nothing, or has verified nothing yet, says nothing of what is gone. */
function noneWhereNotHeld(thrown: unknown): undefined {
  const { kind } = HeadwaterError.from(thrown);
  if (kind !== "unknown" && kind !== "unavailable") throw thrown;
}

function changeText(change: WatchFlagsResponse, terminal: Terminal): string {
  const time = terminal.paint("dim", formatClock(Number(change.atMs)));
  const name = terminal.paint("bold", `${change.project}/${change.flag}`);
  const says = change.says === "" ? terminal.paint("red", "deleted") : change.says;
  return `${time}  ${name}  ${says}  ${terminal.paint("dim", change.freshness)}`;
}
