import type { MessageInitShape } from "@bufbuild/protobuf";
import type { WatchChangesResponseSchema } from "../../gen/headwater/v1/operators_pb.ts";
import { secondMs } from "../../relay/cadence.ts";
import { operatorStreamsMax } from "../../relay/limits.ts";
import type { NodeAccess } from "../access.ts";
import { HeadwaterError } from "../error.ts";
import { messageStream, Wakening } from "../http/message-stream.ts";

type Message = MessageInitShape<typeof WatchChangesResponseSchema>;

/** How often is looked at what changes without an event, while somebody watches. */
const lookIntervalMs = secondMs;

/** One page's stream: what it does not know yet. */
class Stream {
  readonly owed: Set<string> = new Set();
  readonly wakening: Wakening = new Wakening();

  owe(subjects: Iterable<string>): void {
    for (const subject of subjects) this.owed.add(subject);
    if (this.owed.size > 0) this.wakening.wake();
  }

  take(): Message | undefined {
    if (this.owed.size === 0) return undefined;
    const subjects = [...this.owed];
    this.owed.clear();
    return { subjects };
  }
}

/** Says what has changed at the node. It is found once for all who watch, and names only subjects. */
export class ChangeStreams {
  readonly #access: NodeAccess;
  readonly #shutdown: AbortSignal;
  readonly #streams = new Set<Stream>();
  /** What each subject looked like when it was last looked at. */
  #seen = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(access: NodeAccess, shutdown: AbortSignal) {
    this.#access = access;
    this.#shutdown = shutdown;
    access.onExpose(({ project }) => this.#tell([`flags/${project}`, "audit"]), shutdown);
    shutdown.addEventListener("abort", () => clearInterval(this.#timer), { once: true });
  }

  /**
   * All subjects, then those that change, until the signal.
   * @throws HeadwaterError `limit` past the bound
   */
  open(signal: AbortSignal): AsyncIterable<Message> {
    if (this.#streams.size >= operatorStreamsMax)
      throw new HeadwaterError({
        kind: "limit",
        message: `${operatorStreamsMax} pages watch this node already`,
        hint: "Close a dashboard.",
      });
    const stream = new Stream();
    this.#streams.add(stream);
    if (this.#streams.size === 1) this.#begin();
    const flags = this.#access.reads.projects().map((project) => `flags/${project}`);
    stream.owe([...this.#seen.keys(), ...flags]);
    const free = (): void => this.#remove(stream);
    if (signal.aborted) free();
    else signal.addEventListener("abort", free, { once: true });
    const { wakening } = stream;
    const shutdown = this.#shutdown;
    return messageStream({ take: () => stream.take(), wakening, signal, shutdown });
  }

  #begin(): void {
    this.#seen = this.#look();
    this.#timer = setInterval(() => {
      const before = this.#seen;
      this.#seen = this.#look();
      const changed = [...this.#seen.keys()].filter(
        (key) => this.#seen.get(key) !== before.get(key),
      );
      this.#tell(changed);
    }, lookIntervalMs).unref();
  }

  #remove(stream: Stream): void {
    this.#streams.delete(stream);
    if (this.#streams.size === 0) clearInterval(this.#timer);
    stream.wakening.wake();
  }

  #tell(subjects: readonly string[]): void {
    for (const stream of this.#streams) stream.owe(subjects);
  }

  #look(): Map<string, string> {
    const { reads } = this.#access;
    const now = this.#access.now();
    const { upstreams, ...status } = reads.status(now);
    // How long a link has been silent changes all the time, and means nothing while it lives.
    const links = upstreams.map((one) => ({ ...one, silentMs: 0n, retryInMs: 0n }));
    const [newest] = this.#access.list({ bucket: "audit", prefix: "", limit: 1 });
    const seen = new Map([
      ["status", textOf({ ...status, links })],
      ["audit", newest === undefined ? "" : Buffer.from(newest).toString("base64")],
    ]);
    seen.set("rollouts", textOf(reads.rollouts("")));
    for (const project of reads.projects())
      seen.set(`fleet/${project}`, textOf(reads.fleet(project, now.wallMs)));
    return seen;
  }
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, held: unknown) =>
    typeof held === "bigint" ? String(held) : held,
  );
}
