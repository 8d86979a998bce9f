import type { Document, Health, Weights } from "../../gen/headwater/v1/telemetry_pb.ts";
import type { Project } from "../layers/project.ts";
import { modalVerdict } from "./disclosure/modal.ts";
import { panelVerdict } from "./disclosure/panel.ts";
import { joinHealth, ownHealth, type VerdictOf } from "./health.ts";
import type { Tally } from "./intake/tally.ts";
import type { Received } from "./received.ts";
import type { TrialKind } from "./trial/trial.ts";
import { type Vocabulary, vocabularyOf } from "./vocabulary.ts";
import { byName, type CrashesOf, meanOf, type Reporter, weigh, weightLists } from "./weights.ts";

/** Reports and documents since a time, as far as they are for an upstream to hear. */
export interface FleetPart {
  readonly sinceMs?: number;
  readonly to?: string;
  /** Only these flags are asked about, and no crashes; else all. */
  readonly flags?: readonly string[];
}

type IsWatched = (kind: TrialKind, name: string) => boolean;

/**
 * What a node knows of a project's fleet: the mean of its reporters, each child being one and its
 * own apps together being one.
 */
export class Fleet {
  readonly #vocabulary: Vocabulary;
  readonly #project: Project;
  readonly #tally: Tally;
  readonly #panel: () => Tally;
  readonly #verdictOf: VerdictOf;
  readonly #isWatched: IsWatched;
  readonly #crashesOf: CrashesOf | undefined;
  readonly #weightDocuments: ReturnType<Received["of"]>;
  readonly #healthDocuments: ReturnType<Received["of"]>;

  constructor(of: {
    project: Project;
    /** What this site's own apps say. */
    tally: Tally;
    /** What those of them say that stand for all. */
    panel: () => Tally;
    /** What this site's own trials say. */
    verdictOf: VerdictOf;
    /** Whether trials have looked at it. */
    isWatched?: IsWatched;
    crashesOf?: CrashesOf;
    received: Received;
    wallMs: number;
    /** Documents from before it do not count. */
    sinceMs: number;
    /** The upstream that is told of it, if any; what that one has said as a child does not count. */
    to?: string | undefined;
    /** The flags that are asked about; all, with all crashes, unless it is given. */
    flags?: readonly string[] | undefined;
  }) {
    this.#project = of.project;
    this.#tally = of.tally;
    this.#panel = of.panel;
    this.#verdictOf = of.verdictOf;
    this.#isWatched = of.isWatched ?? (() => false);
    this.#crashesOf = of.crashesOf;
    const releases = new Map<string, string>();
    const all = vocabularyOf(of.project.own, (version) => {
      const release = releases.get(version) ?? of.project.buildOf(version, of.wallMs).release;
      releases.set(version, release);
      return release || undefined;
    });
    const { wallMs, sinceMs, to, flags } = of;
    this.#vocabulary = flags === undefined ? all : { ...all, flags, crashes: [] };
    const asked = { project: of.project.name, wallMs, sinceMs, to };
    this.#weightDocuments = of.received.of({ ...asked, kind: "WEIGHTS" });
    this.#healthDocuments = of.received.of({ ...asked, kind: "HEALTH" });
  }

  get own(): boolean {
    return this.#tally.count > 0;
  }

  get instancesCount(): number {
    return this.#tally.count;
  }

  get childrenCount(): number {
    return this.#weightDocuments.length;
  }

  get reportersCount(): number {
    return this.childrenCount + (this.own ? 1 : 0);
  }

  /** Reporters of which only the most common release is known. */
  get releasesOnlyCount(): number {
    return this.#weightDocuments.filter(({ document }) => saysReleasesOnly(document)).length;
  }

  get windowsOldMax(): number {
    return Math.max(0, ...this.#weightDocuments.map(({ windowsOld }) => windowsOld));
  }

  get weights(): Weights {
    return this.#mean(this.#tally);
  }

  /** The same, of one's own apps only as much as their panel shows. */
  get panelWeights(): Weights {
    return this.#mean(this.#panel());
  }

  /** Own apps, or a node that serves nobody else, stand for this site. */
  get health(): Health {
    return this.#joined(this.#verdictOf);
  }

  /** The same, of one's own apps only as much as their panel shows. */
  get panelHealth(): Health {
    const { releases, flags } = weigh(this.#panel(), this.#vocabulary);
    const shares = { RELEASE: byName(releases), FLAG: byName(flags) };
    return this.#joined((kind, name) =>
      panelVerdict({
        verdict: this.#verdictOf(kind, name),
        basisPoints: shares[kind].get(name)?.basisPoints ?? 0,
        isWatched: this.#isWatched(kind, name),
      }),
    );
  }

  /** The same, of one's own apps only what is wrong. */
  get modalHealth(): Health {
    return this.#joined((kind, name) => modalVerdict(this.#verdictOf(kind, name)));
  }

  #joined(verdictOf: VerdictOf): Health {
    const position = this.#project.ownLedger.position ?? { term: 0, seq: 0 };
    const all = this.#healthDocuments.flatMap(({ document }) => document.health ?? []);
    if (this.own || all.length === 0) all.push(ownHealth(verdictOf, this.#vocabulary, position));
    return joinHealth(all, this.#vocabulary, position);
  }

  #mean(own: Tally): Weights {
    const reporters: Reporter[] = this.#weightDocuments.flatMap(({ document }) =>
      document.weights === undefined
        ? []
        : [
            {
              weights: document.weights,
              hasCounts: hasCounts(document),
              isModal: saysReleasesOnly(document),
            },
          ],
    );
    if (own.count > 0)
      reporters.push({
        weights: weigh(own, this.#vocabulary, this.#crashesOf),
        hasCounts: own === this.#tally,
        isModal: false,
      });
    return meanOf(reporters, this.#vocabulary);
  }
}

/** A node without the counts of all below it sends zeros, also for what is there. */
function hasCounts({ disclosure, weights }: Document): boolean {
  if (disclosure !== "EXACT" || weights === undefined) return false;
  return weightLists.every((list) =>
    weights[list].every(({ basisPoints = 0, count = 0 }) => basisPoints === 0 || count > 0),
  );
}

/** At its own level, or as all who run it below do. */
function saysReleasesOnly({ disclosure, weights }: Document): boolean {
  return disclosure === "MODAL" || weights?.releasesOnly === 1;
}
