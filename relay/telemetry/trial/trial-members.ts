import type { Arm } from "../../../gen/headwater/v1/store_pb.ts";
import { trialInstancesMax } from "../../limits.ts";

export type ArmName = "subject" | "control";

/** What is remembered of an instance on one side; the other side's bits lie above. */
const isSeen = 1;
const isUnwell = 2;
const isFailed = 4;
const oneSide = isSeen | isUnwell | isFailed;
const bitsOf = { subject: 0, control: 3 } as const;

const bothSides = 0b111_111;

/** Above the bits of both sides: the last interval in which it was heard, plus one. */
const intervalShift = 6;

/** An instance as it is written: six bytes of its hash, and the bits of both sides. */
export const memberBytes = 7;

/** The instances of a trial, and what each has been on either side. What it once was it stays. */
export class TrialMembers {
  /** Bits by instance. */
  readonly #members = new Map<number, number>();

  /** @param bytes as they were written, or as another node of the site has them */
  constructor(bytes: Uint8Array) {
    const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at + memberBytes <= all.length; at += memberBytes) {
      const bits = all[at + memberBytes - 1] ?? 0;
      const id = all.readUIntBE(at, memberBytes - 1);
      if (bits === 0) continue;
      this.#members.set(id, bits);
    }
  }

  get count(): number {
    return this.#members.size;
  }

  has(instance: number): boolean {
    return this.#members.has(instance);
  }

  clear(): void {
    this.#members.clear();
  }

  /** Whoever was only on the side of the control is forgotten. */
  forgetControl(): void {
    const subjectOnly = (1 << bitsOf.control) - 1;
    for (const [id, member] of this.#members)
      if ((member & subjectOnly) === 0) this.#members.delete(id);
      else this.#members.set(id, member & subjectOnly);
  }

  /**
   * One report of an instance, which is counted in its arm. Whether anything is now otherwise.
   * @param of.interval how many intervals after the beginning it was heard
   */
  take(
    arm: Arm,
    of: { arm: ArmName; instance: number; health: string; interval: number },
  ): boolean {
    const shift = bitsOf[of.arm];
    const member = this.#members.get(of.instance) ?? 0;
    const before = (member >> shift) & oneSide;
    const isNew = (before & isSeen) === 0;
    if (isNew && arm.instances >= trialInstancesMax) return false;
    const fresh = (isSeen | bitsOfHealth(of.health)) & ~before;
    const isHeardAgain = isNew || of.interval >= member >> intervalShift;
    if (isHeardAgain && (before & isFailed) === 0) arm.halfIntervals += isNew ? 1n : 2n;
    countIn(arm, fresh);
    const heard = Math.max(of.interval + 1, member >> intervalShift) << intervalShift;
    this.#members.set(of.instance, (member & bothSides) | (fresh << shift) | heard);
    return isHeardAgain || fresh !== 0;
  }

  /** Takes over one side of what another node has counted: how many it saw, and how many are new. */
  join(arm: Arm, name: ArmName, other: TrialMembers): { seenCount: number; newCount: number } {
    const shift = bitsOf[name];
    let newCount = 0;
    let seenCount = 0;
    for (const [id, member] of other.#members) {
      const said = (member >> shift) & oneSide;
      if ((said & isSeen) === 0) continue;
      seenCount++;
      if (this.#joinOne(arm, { id, said, shift })) newCount++;
    }
    return { seenCount, newCount };
  }

  /** Whether the instance is new here. */
  #joinOne(arm: Arm, of: { id: number; said: number; shift: number }): boolean {
    const member = this.#members.get(of.id) ?? 0;
    const before = (member >> of.shift) & oneSide;
    const isNew = (before & isSeen) === 0;
    if (isNew && arm.instances >= trialInstancesMax) return false;
    this.#members.set(of.id, member | (of.said << of.shift));
    countIn(arm, of.said & ~before);
    return isNew;
  }

  /** Equal for the same instances; when each was heard last is left out. */
  get digest(): number {
    let digest = 0;
    for (const [id, member] of this.#members)
      digest ^= Math.imul(id % 2 ** 32, 31) + (member & bothSides);
    return digest;
  }

  toBytes(): Uint8Array {
    const bytes = Buffer.alloc(this.#members.size * memberBytes);
    let at = 0;
    for (const [id, member] of this.#members) {
      bytes.writeUIntBE(id, at, memberBytes - 1);
      bytes[at + memberBytes - 1] = member & bothSides;
      at += memberBytes;
    }
    return bytes;
  }
}

function countIn(arm: Arm, fresh: number): void {
  if ((fresh & isSeen) !== 0) arm.instances++;
  if ((fresh & isUnwell) !== 0) arm.unwell++;
  if ((fresh & isFailed) !== 0) arm.failed++;
}

function bitsOfHealth(health: string): number {
  if (health === "FAILED") return isUnwell | isFailed;
  return health === "DEGRADED" ? isUnwell : 0;
}
