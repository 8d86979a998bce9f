import type { Member } from "./tally.ts";
import { WordNumbers } from "./word-numbers.ts";

const healthBits = 0b11;
const crashedBit = 0b100;
const versionShift = 3;
const wordBits = 32;

/** Version numbers share 32 bits with health. */
const versionsMax = 2 ** (32 - versionShift);

/**
 * What is counted of each instance, by its slot, in columns of numbers: four bytes for version,
 * health and crashes, and one bit for each flag that is on anywhere.
 */
export class MemberColumns {
  readonly #versions: WordNumbers;
  readonly #flags: WordNumbers;
  #states = new Uint32Array(0);
  /** `#stride` words for each slot. */
  #flagBits = new Uint32Array(0);
  #stride = 1;

  constructor(of: { versionsMax: number; flagsMax: number }) {
    this.#versions = new WordNumbers(Math.min(versionsMax, of.versionsMax));
    this.#flags = new WordNumbers(of.flagsMax);
  }

  grow(slotsCount: number): void {
    const states = new Uint32Array(slotsCount);
    states.set(this.#states);
    this.#states = states;
    this.#layOut(slotsCount, this.#stride);
  }

  /**
   * Keeps a member in a slot that is free; what it comes to, as far as there is room.
   * @param listed what a version is called of which there are too many: the release that it is
   */
  put(slot: number, member: Member, listed: (version: string) => string): Member {
    const version =
      this.#versions.use(member.version) ?? this.#versions.use(listed(member.version));
    const flags = member.flags.flatMap((flag) => this.#flags.use(flag) ?? []);
    this.#states[slot] = stateOf(version, member);
    const stride = Math.ceil(this.#flags.end / wordBits);
    if (stride > this.#stride) this.#layOut(this.#states.length, 2 * stride);
    for (const flag of flags) this.#setBit(slot, flag);
    return this.isAt(slot, member) ? member : this.at(slot, member.instance);
  }

  at(slot: number, instance: string): Member {
    const state = this.#states[slot] ?? 0;
    return {
      instance,
      version: this.#versions.wordOf((state >>> versionShift) - 1),
      health: state & healthBits,
      flags: this.#flagsAt(slot).map((flag) => this.#flags.wordOf(flag)),
      hasCrashed: (state & crashedBit) !== 0,
    };
  }

  clear(slot: number): void {
    const version = (this.#states[slot] ?? 0) >>> versionShift;
    if (version > 0) this.#versions.release(version - 1);
    for (const flag of this.#flagsAt(slot)) this.#flags.release(flag);
    this.#states[slot] = 0;
    this.#flagBits.fill(0, slot * this.#stride, (slot + 1) * this.#stride);
  }

  /** Whether a slot says what a member says: most reports say nothing new. */
  isAt(slot: number, member: Member): boolean {
    const version = this.#versions.numberOf(member.version);
    if (version === undefined || this.#states[slot] !== stateOf(version, member)) return false;
    return (
      this.#bitsCount(slot) === member.flags.length &&
      member.flags.every((flag) => this.#hasBit(slot, this.#flags.numberOf(flag)))
    );
  }

  #flagsAt(slot: number): number[] {
    const flags: number[] = [];
    const begin = slot * this.#stride;
    for (let at = 0; at < this.#stride; at++)
      for (let word = this.#flagBits[begin + at] ?? 0; word !== 0; word &= word - 1)
        flags.push(at * wordBits + 31 - Math.clz32(word & -word));
    return flags;
  }

  #bitsCount(slot: number): number {
    let count = 0;
    for (let at = slot * this.#stride; at < (slot + 1) * this.#stride; at++)
      for (let word = this.#flagBits[at] ?? 0; word !== 0; word &= word - 1) count++;
    return count;
  }

  #hasBit(slot: number, flag: number | undefined): boolean {
    if (flag === undefined) return false;
    const word = this.#flagBits[slot * this.#stride + Math.floor(flag / wordBits)] ?? 0;
    return (word & (1 << (flag % wordBits))) !== 0;
  }

  #setBit(slot: number, flag: number): void {
    const at = slot * this.#stride + Math.floor(flag / wordBits);
    this.#flagBits[at] = (this.#flagBits[at] ?? 0) | (1 << (flag % wordBits));
  }

  #layOut(slotsCount: number, stride: number): void {
    const bits = new Uint32Array(slotsCount * stride);
    if (stride === this.#stride) bits.set(this.#flagBits);
    else
      for (let slot = 0; slot * this.#stride < this.#flagBits.length; slot++)
        for (let at = 0; at < this.#stride; at++)
          bits[slot * stride + at] = this.#flagBits[slot * this.#stride + at] ?? 0;
    this.#flagBits = bits;
    this.#stride = stride;
  }
}

/** 0 is a version that there was no room for. */
function stateOf(
  version: number | undefined,
  { health, hasCrashed }: Pick<Member, "health" | "hasCrashed">,
): number {
  const numbered = version === undefined ? 0 : version + 1;
  return ((numbered << versionShift) | (hasCrashed ? crashedBit : 0) | health) >>> 0;
}
