import { eventKeepAliveMs } from "../../../relay/cadence.ts";
import { HeadwaterError } from "../../error.ts";
import type { FlagChanges, FlagSetGroup } from "./flag-set-group.ts";
import type { FlagSetStreams } from "./flag-set-streams.ts";
import { selectedProject } from "./selected-project.ts";
import type { Selector } from "./selector.ts";

/** Both versions of flagd's evaluation have the same events. */
export interface FlagEvent {
  readonly type: "provider_ready" | "configuration_change" | "keep_alive" | "provider_shutdown";
  readonly data?: { readonly flags: Record<string, { readonly type: string }> };
}

/** What flagd's remote clients hear of changes, so that they ask again and drop what they kept. */
export class EventStreams {
  readonly #streams: FlagSetStreams;
  readonly #keepAliveMs: number;

  constructor(of: { streams: FlagSetStreams; keepAliveMs?: number | undefined }) {
    this.#streams = of.streams;
    this.#keepAliveMs = of.keepAliveMs ?? eventKeepAliveMs;
  }

  /** `provider_ready` comes as soon as there is something to answer from. */
  async *open(selector: Selector, signal: AbortSignal): AsyncGenerator<FlagEvent> {
    const client = new EventClient();
    const { shutdown } = this.#streams;
    try {
      yield* this.#streams.open({
        projects: this.#projects(selector),
        signal,
        take: (groups) => client.take(groups),
        onOpen: (wake) => client.keepAlive(wake, this.#keepAliveMs),
      });
    } catch (thrown) {
      // Published clients come again only after an error, so the one at shutdown is passed on.
      if (shutdown.aborted) yield { type: "provider_shutdown" };
      throw thrown;
    }
  }

  /**
   * Some clients name no project here though they do when they ask: those hear of all, also of one
   * that comes later, for they keep its answers too.
   */
  #projects({ project }: Selector): string[] | "all" {
    const { access } = this.#streams;
    const isOfAll = project === "" && access.reads.projects().length > 0;
    return isOfAll ? "all" : [selectedProject(access, project)];
  }
}

/** What one client has heard. */
class EventClient {
  readonly #taken = new Map<FlagSetGroup, number>();
  #isReady = false;
  #owesKeepAlive = false;
  #refresh: () => void = () => undefined;

  keepAlive(wake: () => void, intervalMs: number): () => void {
    const timer = setInterval(() => {
      this.#owesKeepAlive = true;
      wake();
    }, intervalMs);
    this.#refresh = () => timer.refresh();
    return () => clearInterval(timer);
  }

  take(groups: readonly FlagSetGroup[]): FlagEvent | undefined {
    const event = this.#isReady ? this.#change(groups) : this.#ready(groups);
    if (event !== undefined) this.#refresh();
    if (event !== undefined || !this.#owesKeepAlive) return event;
    this.#owesKeepAlive = false;
    return { type: "keep_alive" };
  }

  #ready(groups: readonly FlagSetGroup[]): FlagEvent | undefined {
    if (groups.every(({ revision }) => revision === 0)) return undefined;
    this.#isReady = true;
    for (const group of groups) this.#taken.set(group, group.revision);
    return { type: "provider_ready" };
  }

  #change(groups: readonly FlagSetGroup[]): FlagEvent | undefined {
    const changes = groups.map((group) => this.#changesOf(group));
    const flags = changes.flatMap((of) => [...of].map(([name, type]) => [name, { type }] as const));
    if (flags.length === 0) return undefined;
    return { type: "configuration_change", data: { flags: Object.fromEntries(flags) } };
  }

  #changesOf(group: FlagSetGroup): FlagChanges {
    const taken = this.#taken.get(group) ?? 0;
    this.#taken.set(group, group.revision);
    const changes = group.changesSince(taken);
    if (changes !== undefined) return changes;
    // Ending the stream makes the client drop all that it kept, which is what is right here.
    throw new HeadwaterError({
      kind: "unavailable",
      message: "the client read too slowly to be told what has changed",
      hint: "Open the stream again.",
    });
  }
}
