import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FlagSchema } from "../../gen/headwater/v1/flag_pb.ts";
import type { AdminClient } from "../../nodes/cli/admin-client.ts";

const bitsCount = 12;

/** One more than the greatest number; then it begins again. */
const range: number = 2 ** bitsCount;

const names: readonly string[] = Array.from({ length: bitsCount }, (_, bit) => `bit-${bit}`);

/**
 * A number that flags say. It is in Gray code, so each step changes a single flag, and whoever has
 * half of what there is would show a number that is plainly older or newer, never nonsense.
 */
export function numberOf(isOn: (flag: string) => boolean): number {
  let number = 0;
  for (let bit = bitsCount - 1; bit >= 0; bit--) {
    const above = (number >> (bit + 1)) & 1;
    if (isOn(`bit-${bit}`) !== (above === 1)) number |= 1 << bit;
  }
  return number;
}

/** How far a number is ahead of another; negative when it is behind. */
export function aheadBy(one: number, other: number): number {
  const difference = (((one - other) % range) + range) % range;
  return difference >= range / 2 ? difference - range : difference;
}

/** Numbers that a root commits one after the other, and which of them it has acknowledged. */
export class Counter {
  readonly #project: string;
  readonly #admin: () => AdminClient;
  /** The last one that was acknowledged, and the last one that may have been taken. */
  acknowledged = 0;
  attempted = 0;
  acknowledgedCount = 0;

  constructor(of: { project: string; admin: () => AdminClient }) {
    this.#project = of.project;
    this.#admin = of.admin;
  }

  /** All flags, at 0. */
  async begin(): Promise<void> {
    const entries = names.map((name) => entryOf(name, false));
    await this.#admin().ledgers.commit({ ledger: { project: this.#project }, entries });
  }

  /** Commits the next number. @throws when it was not acknowledged */
  async step(): Promise<void> {
    const next = (this.acknowledged + 1) % range;
    const changed = gray(next) ^ gray(this.acknowledged);
    const name = `bit-${31 - Math.clz32(changed)}`;
    const entries = [entryOf(name, (gray(next) & changed) !== 0)];
    this.attempted = next;
    await this.#admin().ledgers.commit({ ledger: { project: this.#project }, entries });
    this.acknowledged = next;
    this.acknowledgedCount++;
  }

  /** What the root has, which from now on is what was acknowledged. @throws when something was lost */
  async settle(): Promise<number> {
    const held = await this.held();
    if (aheadBy(held, this.acknowledged) < 0)
      throw new Error(`the root has ${held}, and has acknowledged ${this.acknowledged}`);
    if (aheadBy(this.attempted, held) < 0)
      throw new Error(`the root has ${held}, and nobody has committed it`);
    this.acknowledged = held;
    this.attempted = held;
    return held;
  }

  async held(): Promise<number> {
    const { entries } = await this.#admin().ledgers.getLedger({ project: this.#project });
    const on = new Set(
      entries.flatMap(({ key, value }) =>
        key.startsWith("flag/") && fromBinary(FlagSchema, value).basisPoints > 0 ? key : [],
      ),
    );
    return numberOf((flag) => on.has(`flag/${flag}`));
  }
}

function gray(number: number): number {
  return number ^ (number >> 1);
}

function entryOf(name: string, isOn: boolean): { key: string; value: Uint8Array } {
  const flag = create(FlagSchema, { name, basisPoints: isOn ? 10_000 : 0, hash: 2 });
  return { key: `flag/${name}`, value: toBinary(FlagSchema, flag) };
}
