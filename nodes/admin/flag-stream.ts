import type { MessageInitShape } from "@bufbuild/protobuf";
import type { WatchFlagsResponseSchema } from "../../gen/headwater/v1/nodes_pb.ts";
import { operatorStreamsMax } from "../../relay/limits.ts";
import { quoted } from "../../relay/quoted.ts";
import type { NodeAccess } from "../access.ts";
import { HeadwaterError } from "../error.ts";
import { messageStream, Wakening } from "../http/message-stream.ts";

type Line = MessageInitShape<typeof WatchFlagsResponseSchema>;

interface FlagName {
  readonly project: string;
  readonly flag: string;
}

interface Owed extends FlagName {
  readonly initial: boolean;
}

/** One operator's stream: at most one line is owed for each flag, its text looked up when taken. */
class Stream {
  readonly owed: Map<string, Owed> = new Map();
  readonly wakening: Wakening = new Wakening();
  /** Empty: every project. */
  readonly project: string;

  constructor(project: string) {
    this.project = project;
  }

  owe({ project, flag }: FlagName, initial: boolean): void {
    if (this.project !== "" && this.project !== project) return;
    const key = `${project}/${flag}`;
    if (!this.owed.has(key)) this.owed.set(key, { project, flag, initial });
    this.wakening.wake();
  }

  take(): Owed | undefined {
    for (const [key, owed] of this.owed) {
      this.owed.delete(key);
      return owed;
    }
    return undefined;
  }
}

/** The streams of effective flags in words. What has changed is found once for all of them. */
export class FlagStreams {
  readonly #access: NodeAccess;
  readonly #shutdown: AbortSignal;
  readonly #streams = new Set<Stream>();
  /** What every flag said when it was last looked at, by project and flag; empty if nobody looks. */
  readonly #said = new Map<string, Map<string, string>>();

  constructor(access: NodeAccess, shutdown: AbortSignal) {
    this.#access = access;
    this.#shutdown = shutdown;
    access.onExpose(({ project }) => this.#expose(project), shutdown);
  }

  /**
   * The flags of a project (empty: of all) as they are, then as they change, until the signal.
   * @throws HeadwaterError `unknown` for a project that is not held, `limit` past the bound
   */
  open(project: string, signal: AbortSignal): AsyncIterable<Line> {
    const projects = this.#access.reads.projects();
    if (project !== "" && !projects.includes(project)) {
      throw new HeadwaterError({
        kind: "unknown",
        message: `project: ${quoted(project)} is not held here`,
        hint: "`headwater status` shows the projects of this node.",
      });
    }
    if (this.#streams.size >= operatorStreamsMax) {
      throw new HeadwaterError({
        kind: "limit",
        message: `${operatorStreamsMax} streams are open at this node already`,
        hint: "Close a dashboard or a `headwater watch`.",
      });
    }
    const stream = new Stream(project);
    this.#add(stream, projects);
    const free = (): void => this.#remove(stream);
    if (signal.aborted) free();
    else signal.addEventListener("abort", free, { once: true });
    const take = (): Line | undefined => {
      const owed = stream.take();
      return owed && this.#line(owed);
    };
    const { wakening } = stream;
    return messageStream({ take, wakening, signal, shutdown: this.#shutdown });
  }

  #line({ project, flag, initial }: Owed): Line {
    const { reads } = this.#access;
    const { wallMs } = this.#access.now();
    const says = reads.flagText(project, flag, wallMs);
    const freshness = reads.freshness(project, wallMs);
    return { atMs: BigInt(Math.floor(wallMs)), project, flag, says, initial, freshness };
  }

  #add(stream: Stream, projects: readonly string[]): void {
    this.#streams.add(stream);
    for (const project of projects) {
      if (!this.#said.has(project)) this.#said.set(project, this.#textsOf(project));
      for (const flag of this.#said.get(project)?.keys() ?? []) stream.owe({ project, flag }, true);
    }
  }

  #remove(stream: Stream): void {
    this.#streams.delete(stream);
    if (this.#streams.size === 0) this.#said.clear();
    stream.wakening.wake();
  }

  #expose(project: string): void {
    if (this.#streams.size === 0) return;
    const before = this.#said.get(project) ?? new Map<string, string>();
    const now = this.#textsOf(project);
    this.#said.set(project, now);
    for (const flag of new Set([...before.keys(), ...now.keys()])) {
      if (before.get(flag) === now.get(flag)) continue;
      for (const stream of this.#streams) stream.owe({ project, flag }, false);
    }
  }

  #textsOf(project: string): Map<string, string> {
    const { reads } = this.#access;
    const { wallMs } = this.#access.now();
    const textOf = (flag: string): string => reads.flagText(project, flag, wallMs);
    return new Map(reads.flags(project).map((flag) => [flag, textOf(flag)]));
  }
}
