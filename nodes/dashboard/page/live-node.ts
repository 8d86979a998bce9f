import { Code, ConnectError } from "@connectrpc/connect";
import { useEffect, useState } from "preact/hooks";
import type { GetLedgerResponse } from "../../../gen/headwater/v1/ledgers_pb.ts";
import type { ExplainResponse, GetStatusResponse } from "../../../gen/headwater/v1/nodes_pb.ts";
import { type NodeClient, problemOf } from "./node-client.ts";
import {
  emptyProject,
  emptyView,
  flagOf,
  flagsFound,
  historyLength,
  type NodeView,
  type ProjectView,
  writable,
} from "./node-view.ts";

/** Calls at once: browsers allow six connections to one address. */
const callsAtOnceMax = 6;
const samplesLength = 500;
/** How often a node is asked whether it is there, and how long its answer may take. */
const pulseMs = 10_000;
const pulsePatienceMs = 15_000;
const retryMsMin = 500;
const retryMsMax = 10_000;

/** What was asked of one state of a project's flags: an answer about another is not shown. */
interface Explaining {
  readonly asked: Set<string>;
  readonly answers: Map<string, ExplainResponse>;
  readonly problems: Map<string, string>;
}

function nothingAsked(): Explaining {
  return { asked: new Set(), answers: new Map(), problems: new Map() };
}

/** Follows a node, one project at a time: asks for all of it, then again for what has changed. */
class LiveNode {
  readonly #client: NodeClient;
  readonly #show: (view: NodeView) => void;
  readonly #signal: AbortSignal;
  /** Which release's builds a project's flags are shown for; unset, the newest. */
  readonly #releases = new Map<string, string>();
  /** The last question of each kind: an answer to one before it is not shown any more. */
  readonly #asked = new Map<string, symbol>();
  #explaining = nothingAsked();
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

  /** Shows another project. */
  async choose(project: string): Promise<void> {
    this.#turnTo(project);
    await Promise.all([this.#refreshFlags(project), this.#refreshFleet(project)]);
  }

  /** Shows the flags as builds of this release get them. */
  async showRelease(release: string): Promise<void> {
    this.#releases.set(this.#view.project, release);
    this.#updateHeld({ release, explained: new Map(), unexplained: new Map() });
    await this.#explainAnew();
  }

  /** Shows the flags that have this in their name or note. */
  async search(text: string): Promise<void> {
    this.#update({ search: text });
    await this.#explain();
  }

  /** Until the stream ends, or the node answers no more. */
  async #listen(): Promise<void> {
    const over = new AbortController();
    const signal = AbortSignal.any([this.#signal, over.signal]);
    try {
      await Promise.race([this.#take(signal), this.#feelPulse(signal)]);
    } finally {
      over.abort();
    }
  }

  /** A stream of a node that has stopped, or of a line that is cut, is as silent as one without news. */
  async #feelPulse(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, pulseMs));
      await this.#client.nodes.getStatus({}, { signal, timeoutMs: pulsePatienceMs });
    }
  }

  async #take(signal: AbortSignal): Promise<void> {
    // A stream has no deadline.
    const changes = this.#client.operators.watchChanges({}, { signal, timeoutMs: 0 });
    for await (const { subjects } of changes) {
      this.#failuresCount = 0;
      const before = this.#view.project;
      // The status first: it names the projects that all else is about.
      if (subjects.includes("status")) await this.#refreshStatus();
      const { project } = this.#view;
      const due = project === before ? [] : [`flags/${project}`, `fleet/${project}`];
      await Promise.all([...new Set([...subjects, ...due])].map((one) => this.#refresh(one)));
      if (!signal.aborted) this.#update({ link: "live", problem: "" });
    }
  }

  async #refreshStatus(): Promise<void> {
    const status = await this.#client.nodes.getStatus({});
    const names = status.projects.map(({ project }) => project);
    this.#update({ status });
    if (!names.includes(this.#view.project)) this.#turnTo(names[0] ?? "");
  }

  #turnTo(project: string): void {
    this.#explaining = nothingAsked();
    this.#update({ project, held: emptyProject, search: "" });
  }

  async #refresh(subject: string): Promise<void> {
    const [kind = "", project = ""] = subject.split("/", 2);
    if (kind === "rollouts") {
      const { rollouts } = await this.#client.rollouts.listRollouts({});
      return this.#update({ rollouts });
    }
    if (kind === "audit") {
      const { records } = await this.#client.operators.listAudit({ limit: historyLength });
      return this.#update({ audit: records });
    }
    // What is not shown is asked for once it is.
    if (project === "" || project !== this.#view.project) return;
    if (kind === "flags") return this.#refreshFlags(project);
    if (kind === "fleet") return this.#refreshFleet(project);
  }

  async #refreshFlags(project: string): Promise<void> {
    const isLast = this.#ask("flags");
    const { ledgers } = this.#client;
    const own = await ledgers.getLedger({ project });
    const written = overlayOf(this.#view.status, project);
    const overlay = written && writable(await ledgers.getLedger({ project, authority: written }));
    if (!isLast()) return;
    const flags = own.entries
      .filter(({ key }) => key.startsWith("flag/"))
      .map(({ key, value }) => ({ project, name: key.slice("flag/".length), flag: flagOf(value) }))
      .toSorted((one, other) => one.name.localeCompare(other.name));
    const releases = releasesOf(own);
    const release = this.#releases.get(project) ?? releases.at(-1) ?? "";
    this.#updateHeld({ flags, releases, release, own: writable(own), overlay });
    await this.#explainAnew();
  }

  /** What is shown stays until the new answers have come. */
  async #explainAnew(): Promise<void> {
    this.#explaining = nothingAsked();
    await this.#explain();
  }

  /** Asks what the flags that are drawn come out as, unless that was asked already. */
  async #explain(): Promise<void> {
    const explaining = this.#explaining;
    const { project, held, search } = this.#view;
    const { drawn } = flagsFound(held.flags ?? [], search);
    const names = drawn.map(({ name }) => name).filter((name) => !explaining.asked.has(name));
    for (const name of names) explaining.asked.add(name);
    // An instance has to be named for a version to count; its own answer is not looked at.
    const build = held.release === "" ? {} : { version: held.release, instance: "dashboard" };
    const work = async (): Promise<void> => {
      for (let flag = names.shift(); flag !== undefined; flag = names.shift())
        await this.#explainOne(explaining, { project, flag, ...build });
    };
    await Promise.all(Array.from({ length: callsAtOnceMax }, work));
    if (explaining !== this.#explaining) return;
    const { answers, problems } = explaining;
    this.#updateHeld({ explained: new Map(answers), unexplained: new Map(problems) });
  }

  /** One that fails says so in its row, and takes nothing from the others; it is asked again with them. */
  async #explainOne(
    { asked, answers, problems }: Explaining,
    question: { project: string; flag: string; version?: string; instance?: string },
  ): Promise<void> {
    const { flag } = question;
    problems.delete(flag);
    try {
      answers.set(flag, await this.#client.nodes.explain(question));
    } catch (thrown) {
      asked.delete(flag);
      problems.set(flag, problemOf(thrown).text);
    }
  }

  async #refreshFleet(project: string): Promise<void> {
    const isLast = this.#ask("fleet");
    // A node whose telemetry is off has no fleet to show, and all the rest.
    const [fleet, { samples }, censuses] = await Promise.all([
      this.#client.fleet.getFleet({ project }).catch(noneOf(Code.PermissionDenied)),
      this.#client.fleet.listSamples({ project, limit: samplesLength }),
      this.#client.censuses.listCensuses({ project }).catch(noneOf(Code.PermissionDenied)),
    ]);
    const isTelemetryOff = fleet === undefined;
    if (isLast())
      this.#updateHeld({ fleet, isTelemetryOff, samples: samples.toReversed(), censuses });
  }

  /** Whether nothing of this kind has been asked since. */
  #ask(kind: string): () => boolean {
    const question = Symbol(kind);
    this.#asked.set(kind, question);
    return () => this.#asked.get(kind) === question;
  }

  #updateHeld(change: Partial<ProjectView>): void {
    this.#update({ held: { ...this.#view.held, ...change } });
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

/** Undefined for who is refused with this code, which is an answer as well. */
function noneOf(code: Code): (thrown: unknown) => undefined {
  return (thrown) => {
    if (thrown instanceof ConnectError && thrown.code === code) return undefined;
    throw thrown;
  };
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
): {
  view: NodeView;
  choose: (project: string) => void;
  showRelease: (release: string) => void;
  search: (text: string) => void;
} {
  const [view, show] = useState(emptyView);
  const [live, setLive] = useState<LiveNode>();
  useEffect(() => {
    const gone = new AbortController();
    const node = new LiveNode(client, show, gone.signal);
    setLive(node);
    void node.follow(onWrongToken);
    return () => gone.abort();
  }, [client]);
  // What fails here is noticed by the stream as well, which says so.
  const asked = (answered: Promise<void> | undefined): void =>
    void answered?.catch(() => undefined);
  return {
    view,
    choose: (project) => asked(live?.choose(project)),
    showRelease: (release) => asked(live?.showRelease(release)),
    search: (text) => asked(live?.search(text)),
  };
}
