import { clone, create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type Arm,
  ArmSchema,
  type Trial as TrialRecord,
  TrialSchema,
} from "../../../gen/headwater/v1/store_pb.ts";
import { bytesEqual } from "../../trust/key.ts";
import { type ArmName, TrialMembers } from "./trial-members.ts";
import {
  type ArmCounts,
  instancesJudgedMin,
  judge,
  lookWindows,
  type VerdictWord,
  verdicts,
} from "./verdict.ts";

export type TrialKind = "RELEASE" | "FLAG";

/**
 * How a release does against the one before it, or a flag on against off, since it was first seen
 * at this site. It is looked at at fixed times, so that when it is judged says nothing of how many
 * instances there are, and only then.
 */
export class Trial {
  readonly #record: TrialRecord;
  readonly #members: TrialMembers;
  /** Something is to be written. */
  isChanged = true;

  private constructor(record: TrialRecord) {
    this.#members = new TrialMembers(record.members);
    this.#record = record;
    record.members = new Uint8Array(0);
  }

  static begin(of: {
    project: string;
    kind: TrialKind;
    name: string;
    against?: string;
    terms?: Uint8Array;
    startedMs: number;
  }): Trial {
    const { project, kind, name, against = "", terms = new Uint8Array(0) } = of;
    const startedMs = BigInt(Math.floor(of.startedMs));
    const arms = { subject: {}, control: {} };
    return new Trial(
      create(TrialSchema, { project, kind, name, against, terms, startedMs, ...arms }),
    );
  }

  static restored(bytes: Uint8Array): Trial {
    const trial = Trial.of(fromBinary(TrialSchema, bytes));
    trial.isChanged = false;
    return trial;
  }

  /** As it was written, or as another node of the site has it. */
  static of(record: TrialRecord): Trial {
    return new Trial(record);
  }

  get kind(): TrialKind {
    return this.#record.kind === "FLAG" ? "FLAG" : "RELEASE";
  }

  get name(): string {
    return this.#record.name;
  }

  get project(): string {
    return this.#record.project;
  }

  get against(): string {
    return this.#record.against;
  }

  get terms(): Uint8Array {
    return this.#record.terms;
  }

  get startedMs(): number {
    return Number(this.#record.startedMs);
  }

  get looksCount(): number {
    return this.#record.looksCount;
  }

  get isOver(): boolean {
    return this.#record.closed || this.looksCount >= lookWindows.length;
  }

  get verdict(): VerdictWord {
    return verdicts[this.#record.judgement] ?? "INSUFFICIENT";
  }

  get membersCount(): number {
    return this.#members.count;
  }

  arm(name: ArmName): ArmCounts {
    return countsOf(this.#record[name]);
  }

  /** What the subject came to at a look; undefined when it was not taken. */
  lookAt(index: number): ArmCounts | undefined {
    const look = this.#record.looks[index];
    return look === undefined || look.instances === 0 ? undefined : countsOf(look);
  }

  /** Its terms are no longer what they were: nothing is counted any more, and nothing looked at. */
  close(): void {
    this.#record.closed = true;
    this.#members.clear();
    this.isChanged = true;
  }

  get isClosed(): boolean {
    return this.#record.closed;
  }

  /**
   * Whether this one was begun after the other was done with: the same flag or release, in another
   * run, which takes the other's place.
   */
  isAfter(other: Trial, windowMs: number): boolean {
    if (this.startedMs <= other.startedMs) return false;
    if (!bytesEqual(this.terms, other.terms)) return true;
    if (other.isClosed) return !this.isClosed;
    const lastLook = lookWindows.at(-1) ?? 0;
    return this.startedMs >= other.startedMs + lastLook * windowMs;
  }

  /** Compares with another release from now on: one nearer to it has been seen. */
  compareWith(against: string): void {
    this.#record.against = against;
    this.#record.control = create(ArmSchema);
    this.#members.forgetControl();
    this.isChanged = true;
  }

  /**
   * One report of an instance. What it once was it stays, however often it is heard.
   * @param of.interval how many intervals after the beginning it was heard
   * @param of.hasRoom false where no instance is remembered that is not already
   */
  take(of: {
    arm: ArmName;
    instance: number;
    health: string;
    interval: number;
    hasRoom?: boolean;
  }): void {
    const arm = this.#record[of.arm];
    if (this.isOver || arm === undefined) return;
    if (of.hasRoom === false && !this.#members.has(of.instance)) return;
    if (this.#members.take(arm, of)) this.isChanged = true;
  }

  /** How many looks are due by now. Of several that went by only the last is taken. */
  looksDue(wallMs: number, windowMs: number): number {
    return lookWindows.filter((windows) => this.startedMs + windows * windowMs <= wallMs).length;
  }

  /**
   * Looks: the control is whichever of those given was watched longest. BAD stays; what can not
   * be told leaves what was told before.
   */
  look(looksDue: number, controls: readonly ArmCounts[]): VerdictWord {
    const record = this.#record;
    const [control] = [this.arm("control"), ...controls]
      .filter(({ instances }) => instances >= instancesJudgedMin)
      .sort((a, b) => b.halfIntervals - a.halfIntervals);
    while (record.looks.length < looksDue) record.looks.push(create(ArmSchema));
    record.looks[looksDue - 1] =
      record.subject === undefined ? create(ArmSchema) : clone(ArmSchema, record.subject);
    record.looksCount = looksDue;
    const verdict =
      control === undefined ? "INSUFFICIENT" : judge(this.arm("subject"), control, looksDue - 1);
    if (verdict !== "INSUFFICIENT" && this.verdict !== "BAD")
      record.judgement = verdicts.indexOf(verdict);
    if (this.isOver) this.#members.clear();
    this.isChanged = true;
    return this.verdict;
  }

  /** Equal for nodes that have counted the same; for how long is left out, which differs by little. */
  get version(): string {
    const { startedMs, looksCount, judgement, closed, against, terms } = this.#record;
    const arms = (["subject", "control"] as const).map((name) => {
      const { instances, unwell, failed } = this.arm(name);
      return `${instances}/${unwell}/${failed}`;
    });
    const own = [
      startedMs,
      looksCount,
      judgement,
      closed,
      against,
      Buffer.from(terms).toString("hex"),
    ];
    return [...own, ...arms, this.#members.digest].join(" ");
  }

  /**
   * Takes over what another node of the site has counted in the same trial: instances are a union,
   * of all else the later or worse word counts, and what one has seen of it both have.
   */
  merge(other: Trial): void {
    const before = this.version;
    const [own, theirs] = [this.#record, other.#record];
    if (own.startedMs > theirs.startedMs) own.startedMs = theirs.startedMs;
    own.judgement = joinJudgements(own, theirs);
    for (const [index, look] of theirs.looks.entries())
      if (look.instances > (own.looks[index]?.instances ?? 0)) this.#setLook(index, look);
    this.#mergeArm("subject", other);
    if (own.against === theirs.against) this.#mergeArm("control", other);
    own.looksCount = Math.max(own.looksCount, theirs.looksCount);
    own.closed ||= theirs.closed;
    if (this.isOver) this.#members.clear();
    this.isChanged ||= this.version !== before;
  }

  #setLook(index: number, look: Arm): void {
    const { looks } = this.#record;
    while (looks.length <= index) looks.push(create(ArmSchema));
    looks[index] = clone(ArmSchema, look);
  }

  /**
   * Where another node has watched instances that were not heard here, the time of those is added;
   * where both have watched the same, it is the longer of the two.
   */
  #mergeArm(name: ArmName, other: Trial): void {
    const arm = this.#record[name];
    const theirs = other.#record[name];
    if (arm === undefined || theirs === undefined) return;
    if (this.isOver || other.isOver) {
      if (theirs.instances > arm.instances) this.#record[name] = clone(ArmSchema, theirs);
      return;
    }
    const { newCount, seenCount } = this.#members.join(arm, name, other.#members);
    const added =
      arm.halfIntervals + (theirs.halfIntervals * BigInt(newCount)) / BigInt(seenCount || 1);
    arm.halfIntervals = added > theirs.halfIntervals ? added : theirs.halfIntervals;
  }

  toBytes(): Uint8Array {
    return toBinary(TrialSchema, this.toRecord());
  }

  toRecord(): TrialRecord {
    return { ...this.#record, members: this.#members.toBytes() };
  }
}

/** BAD stays; else that of the later look, unless it could not tell. */
function joinJudgements(one: TrialRecord, other: TrialRecord): number {
  const judgements = [one.judgement, other.judgement];
  const bad = verdicts.indexOf("BAD");
  if (judgements.includes(bad)) return bad;
  if (judgements.includes(0) || one.looksCount === other.looksCount) return Math.max(...judgements);
  return one.looksCount > other.looksCount ? one.judgement : other.judgement;
}

function countsOf(arm: Arm | undefined): ArmCounts {
  const { instances = 0, unwell = 0, failed = 0, halfIntervals = 0n } = arm ?? {};
  return { instances, unwell, failed, halfIntervals: Number(halfIntervals) };
}
