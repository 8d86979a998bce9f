import { Code, ConnectError } from "@connectrpc/connect";
import { useEffect, useState } from "preact/hooks";
import type { GetLedgerResponse } from "../../../gen/headwater/v1/ledgers_pb.ts";
import type { GetStatusResponse } from "../../../gen/headwater/v1/nodes_pb.ts";
import { type NodeClient, problemOf } from "./node-client.ts";
import {
  emptyProject,
  emptyView,
  type FlagView,
  flagOf,
  type NodeView,
  type ProjectView,
  writable,
} from "./node-view.ts";

/** Flags whose layers are asked for; each is a call, and nobody reads more than that at once. */
const explainedCountMax = 300;
/** Calls at once: browsers allow six connections to one address. */
const callsAtOnceMax = 6;
const historyLength = 50;
const samplesLength = 500;
const retryMsMin = 500;
const retryMsMax = 10_000;

/** Follows a node: asks for all of it, then again for what it says has changed. */
class LiveNode {
  readonly #client: NodeClient;
  readonly #show: (view: NodeView) => void;
  readonly #signal: AbortSignal;
  /** Which release's builds a project's flags are shown for; unset, the newest. */
  readonly #releases = new Map<string, string>();
  #view: NodeView = emptyView;
  #failuresCount = 0;

  constructor(client: NodeClient, show: (view: NodeView) => void, signal: AbortSignal) {
    this.#client = client;
    this.#show = show;
    this.#signal = signal;
  }

  async follow(onWrongToken: (problem: string) => void): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        await this.#listen();
      } catch (thrown) {
        if (this.#signal.aborted) return;
        const { text, isToken } = problemOf(thrown);
        if (isToken) return onWrongToken(text);
        this.#update({ link: "lost", problem: text });
      }
      await this.#pause();
    }
  }

  /** Shows a project's flags as builds of this release get them. */
  async showRelease(project: string, release: string): Promise<void> {
    this.#releases.set(project, release);
    this.#updateProject(project, await this.#flags(project));
  }

  async #listen(): Promise<void> {
    const changes = this.#client.operators.watchChanges({}, { signal: this.#signal });
    for await (const { subjects } of changes) {
      this.#failuresCount = 0;
      // The status first: it names the projects that all else is about.
      if (subjects.includes("status")) await this.#refreshStatus();
      await Promise.all(subjects.map((subject) => this.#refresh(subject)));
      this.#update({ link: "live", problem: "" });
    }
  }

  async #refreshStatus(): Promise<void> {
    this.#update({ status: await this.#client.nodes.getStatus({}) });
  }

  async #refresh(subject: string): Promise<void> {
    const [kind = "", project = ""] = subject.split("/", 2);
    if (kind === "flags") return this.#updateProject(project, await this.#flags(project));
    if (kind === "fleet") return this.#updateProject(project, await this.#fleet(project));
    if (kind === "rollouts") {
      const { rollouts } = await this.#client.rollouts.listRollouts({});
      return this.#update({ rollouts });
    }
    if (kind !== "audit") return;
    const { records } = await this.#client.operators.listAudit({ limit: historyLength });
    this.#update({ audit: records });
  }

  async #flags(project: string): Promise<Partial<ProjectView>> {
    const { ledgers } = this.#client;
    const own = await ledgers.getLedger({ project });
    const held = own.entries
      .filter(({ key }) => key.startsWith("flag/"))
      .map(({ key, value }) => ({ name: key.slice("flag/".length), flag: flagOf(value) }))
      .toSorted((one, other) => one.name.localeCompare(other.name));
    const releases = releasesOf(own);
    const release = this.#releases.get(project) ?? releases.at(-1) ?? "";
    const flags = await this.#explained({ project, held, release });
    const written = overlayOf(this.#view.status, project);
    const overlay = written && writable(await ledgers.getLedger({ project, authority: written }));
    return { flags, releases, release, own: writable(own), overlay };
  }

  async #explained(of: {
    project: string;
    held: readonly Pick<FlagView, "name" | "flag">[];
    release: string;
  }): Promise<FlagView[]> {
    const { project, held, release } = of;
    // An instance has to be named for a version to count; its own answer is not looked at.
    const build = release === "" ? {} : { version: release, instance: "dashboard" };
    const views = held.map((one): FlagView => ({ project, ...one, explained: undefined }));
    const waiting = [...views.keys()].slice(0, explainedCountMax);
    const work = async (): Promise<void> => {
      for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
        const view = views[at];
        if (view === undefined) continue;
        const explained = await this.#client.nodes.explain({
          project,
          flag: view.name,
          ...build,
        });
        views[at] = { ...view, explained };
      }
    };
    await Promise.all(Array.from({ length: callsAtOnceMax }, work));
    return views;
  }

  async #fleet(project: string): Promise<Partial<ProjectView>> {
    const [fleet, { samples }, censuses] = await Promise.all([
      this.#client.fleet.getFleet({ project }).catch(noneWhereOff),
      this.#client.fleet.listSamples({ project, limit: samplesLength }),
      this.#client.censuses.listCensuses({ project }).catch(noneWhereOff),
    ]);
    return { fleet, samples: samples.toReversed(), censuses };
  }

  #updateProject(project: string, change: Partial<ProjectView>): void {
    const before = this.#view.projects.get(project) ?? emptyProject;
    const projects = new Map(this.#view.projects).set(project, { ...before, ...change });
    this.#update({ projects });
  }

  #update(change: Partial<NodeView>): void {
    this.#view = { ...this.#view, ...change };
    if (!this.#signal.aborted) this.#show(this.#view);
  }

  #pause(): Promise<void> {
    const boundMs = Math.min(retryMsMax, retryMsMin * 2 ** this.#failuresCount++);
    return new Promise((resolve) => setTimeout(resolve, Math.random() * boundMs));
  }
}

/** The project's releases, oldest first as far as names can tell. */
function releasesOf({ entries }: GetLedgerResponse): string[] {
  return entries
    .filter(({ key }) => key.startsWith("release/"))
    .map(({ key }) => key.slice("release/".length))
    .toSorted((one, other) => one.localeCompare(other, "en", { numeric: true }));
}

/** A node whose telemetry is off has no fleet to show, and all the rest. */
function noneWhereOff(thrown: unknown): undefined {
  if (thrown instanceof ConnectError && thrown.code === Code.PermissionDenied) return undefined;
  throw thrown;
}

/** The authority of the overlay that is written at this node. */
function overlayOf(status: GetStatusResponse | undefined, project: string): Uint8Array | undefined {
  const layers = status?.projects.find((one) => one.project === project)?.layers ?? [];
  return layers.slice(1).find((layer) => layer.writable)?.ledger?.authority;
}

/** The node as it is now, for as long as the component lives, and what may be asked of it. */
export function useLiveNode(
  client: NodeClient,
  onWrongToken: (problem: string) => void,
): { view: NodeView; showRelease: (project: string, release: string) => void } {
  const [view, show] = useState(emptyView);
  const [live, setLive] = useState<LiveNode>();
  useEffect(() => {
    const gone = new AbortController();
    const node = new LiveNode(client, show, gone.signal);
    setLive(node);
    void node.follow(onWrongToken);
    return () => gone.abort();
  }, [client]);
  return {
    view,
    showRelease: (project, release) => {
      // What fails here is noticed by the stream as well, which says so.
      live?.showRelease(project, release).catch(() => undefined);
    },
  };
}
