import { clone, create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type Arm,
  ArmSchema,
  type Trial as TrialRecord,
  TrialSchema,
} from "../../../gen/headwater/v1/store_pb.ts";
import { clockSkewMsMax } from "../../cadence.ts";
import { isName } from "../../flag/name.ts";
import { trialInstancesMax } from "../../limits.ts";
import { bytesEqual } from "../../trust/key.ts";
import {
  type ArmCounts,
  instancesJudgedMin,
  judge,
  lookWindows,
  type VerdictWord,
  verdicts,
} from "./verdict.ts";

export type TrialKind = "RELEASE" | "FLAG";

type ArmName = "subject" | "control";

/** What is remembered of an instance on one side; the other side's bits lie above. */
const isSeen = 1;
const isUnwell = 2;
const isFailed = 4;
const bitsOf = { subject: 0, control: 3 } as const;

const bothSides = 0b111_111;

/** Above the bits of both sides: the last interval in which it was heard, plus one. */
const intervalShift = 6;

const memberBytes = 7;

/** A hash. */
const termsBytesMax = 32;

/**
 * How a release does against the one before it, or a flag on against off, since it was first seen
 * at this site. It is looked at at fixed times, so that when it is judged says nothing of how many
 * instances there are, and only then.
 */
export class Trial {
  readonly #record: TrialRecord;
  /** Bits by instance. */
  readonly #members = new Map<number, number>();
  /** Something is to be written. */
  isChanged = true;

  private constructor(record: TrialRecord) {
    this.#record = record;
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
    const trial = new Trial(record);
    const { members } = record;
    for (let at = 0; at + memberBytes <= members.length; at += memberBytes) {
      const bits = members[at + memberBytes - 1] ?? 0;
      const id = Buffer.from(members).readUIntBE(at, memberBytes - 1);
      if (bits === 0) continue;
      trial.#members.set(id, bits);
    }
    record.members = new Uint8Array(0);
    return trial;
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
    return this.#members.size;
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

  /** Everything that another node's record can get wrong. */
  static problem(record: TrialRecord, wallMs: number): string | undefined {
    const { members, looks, looksCount, judgement, kind, startedMs, terms } = record;
    if (kind !== "RELEASE" && kind !== "FLAG") return "kind: RELEASE or FLAG";
    if (![record.project, record.name].every(isName)) return "project, name: no names";
    if (record.against !== "" && !isName(record.against)) return "against: no name";
    if (Number(startedMs) > wallMs + clockSkewMsMax) return "started_ms: from the future";
    if (members.length % memberBytes !== 0) return "members: cut off";
    if (members.length > 2 * trialInstancesMax * memberBytes) return "members: too many";
    if (looks.length > lookWindows.length || looksCount > lookWindows.length)
      return "looks: too many";
    if (judgement >= verdicts.length) return "judgement: unknown";
    if (terms.length > termsBytesMax) return "terms: too long";
    if (record.subject === undefined || record.control === undefined)
      return "subject, control: missing";
    const arms = [record.subject, record.control, ...looks];
    const isWhole = arms.every(
      ({ instances, unwell, failed }) => Math.max(unwell, failed) <= instances,
    );
    return isWhole ? undefined : "arms: more failed than there are";
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
    const subjectOnly = (1 << bitsOf.control) - 1;
    for (const [id, member] of this.#members)
      if ((member & subjectOnly) === 0) this.#members.delete(id);
      else this.#members.set(id, member & subjectOnly);
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
    const shift = bitsOf[of.arm];
    const member = this.#members.get(of.instance) ?? 0;
    const before = (member >> shift) & (isSeen | isUnwell | isFailed);
    const isNew = (before & isSeen) === 0;
    if (isNew && arm.instances >= trialInstancesMax) return;
    const fresh = (isSeen | bitsOfHealth(of.health)) & ~before;
    const isHeardAgain = isNew || of.interval >= member >> intervalShift;
    if (isHeardAgain && (before & isFailed) === 0) arm.halfIntervals += isNew ? 1n : 2n;
    countIn(arm, fresh);
    const heard = Math.max(of.interval + 1, member >> intervalShift) << intervalShift;
    this.#members.set(of.instance, (member & bothSides) | (fresh << shift) | heard);
    this.isChanged ||= isHeardAgain || fresh !== 0;
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
    let members = 0;
    for (const [id, member] of this.#members)
      members ^= Math.imul(id % 2 ** 32, 31) + (member & bothSides);
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
    return [...own, ...arms, members].join(" ");
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
    const shift = bitsOf[name];
    let newCount = 0;
    let seenCount = 0;
    for (const [id, member] of other.#members) {
      const said = (member >> shift) & (isSeen | isUnwell | isFailed);
      if ((said & isSeen) === 0) continue;
      seenCount++;
      if (this.#join(arm, { id, said, shift })) newCount++;
    }
    const added =
      arm.halfIntervals + (theirs.halfIntervals * BigInt(newCount)) / BigInt(seenCount || 1);
    arm.halfIntervals = added > theirs.halfIntervals ? added : theirs.halfIntervals;
  }

  /** Whether the instance is new here. */
  #join(arm: Arm, of: { id: number; said: number; shift: number }): boolean {
    const member = this.#members.get(of.id) ?? 0;
    const before = (member >> of.shift) & (isSeen | isUnwell | isFailed);
    const isNew = (before & isSeen) === 0;
    if (isNew && arm.instances >= trialInstancesMax) return false;
    this.#members.set(of.id, member | (of.said << of.shift));
    countIn(arm, of.said & ~before);
    return isNew;
  }

  toBytes(): Uint8Array {
    return toBinary(TrialSchema, this.toRecord());
  }

  toRecord(): TrialRecord {
    const members = Buffer.alloc(this.#members.size * memberBytes);
    let at = 0;
    for (const [id, member] of this.#members) {
      members.writeUIntBE(id, at, memberBytes - 1);
      members[at + memberBytes - 1] = member & bothSides;
      at += memberBytes;
    }
    return { ...this.#record, members };
  }
}

function countIn(arm: Arm, fresh: number): void {
  if ((fresh & isSeen) !== 0) arm.instances++;
  if ((fresh & isUnwell) !== 0) arm.unwell++;
  if ((fresh & isFailed) !== 0) arm.failed++;
}

/** BAD stays; else that of the later look, unless it could not tell. */
function joinJudgements(one: TrialRecord, other: TrialRecord): number {
  const judgements = [one.judgement, other.judgement];
  const bad = verdicts.indexOf("BAD");
  if (judgements.includes(bad)) return bad;
  if (judgements.includes(0) || one.looksCount === other.looksCount) return Math.max(...judgements);
  return one.looksCount > other.looksCount ? one.judgement : other.judgement;
}

function bitsOfHealth(health: string): number {
  if (health === "FAILED") return isUnwell | isFailed;
  return health === "DEGRADED" ? isUnwell : 0;
}

function countsOf(arm: Arm | undefined): ArmCounts {
  const { instances = 0, unwell = 0, failed = 0, halfIntervals = 0n } = arm ?? {};
  return { instances, unwell, failed, halfIntervals: Number(halfIntervals) };
}
