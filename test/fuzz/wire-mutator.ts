import type { Random } from "../../relay/random.ts";
import { alterBytes, inputBytesMax } from "./byte-mutator.ts";
import { hostileNumbers, hostileTexts } from "./hostile-values.ts";
import { encodeWire, listsOf, parseWire, type WireField, type WireValue } from "./wire-tree.ts";

/** What is done to one field of a list, at a place in it. */
type Alteration = (of: {
  fields: WireField[];
  at: number;
  random: Random;
  /** Fields of other inputs. */
  others: readonly WireField[];
}) => void;

const change: Alteration = ({ fields, at, random }) => {
  const one = fields[at];
  if (one !== undefined) fields[at] = { ...one, value: changed(one.value, random) };
};

const drop: Alteration = ({ fields, at }) => void fields.splice(at, 1);

const double: Alteration = ({ fields, at, random }) => {
  const one = fields[at];
  if (one !== undefined) fields.splice(random.below(fields.length + 1), 0, structuredClone(one));
};

/** Past the bounds of lists; most are a few thousand at most. */
const repeat: Alteration = ({ fields, at, random }) => {
  const one = fields[at];
  if (one === undefined) return;
  const bytes = encodeWire([one]).length;
  const wanted = 2 ** (2 + random.below(random.below(4) === 0 ? 14 : 7));
  const count = Math.min(wanted, Math.floor(inputBytesMax / 2 / bytes));
  const { field, value } = one;
  fields.push({ field, value: { kind: "again", count, value } });
};

const renumber: Alteration = ({ fields, at, random }) => {
  const one = fields[at];
  const field = random.below(3) === 0 ? 2 ** 29 - 1 - random.below(4) : 1 + random.below(12);
  if (one !== undefined) fields[at] = { ...one, field };
};

const swap: Alteration = ({ fields, at, random }) => {
  const to = random.below(fields.length);
  const [one, other] = [fields[at], fields[to]];
  if (one === undefined || other === undefined) return;
  fields[at] = other;
  fields[to] = one;
};

const transplant: Alteration = ({ fields, at, random, others }) => {
  const found = others[random.below(others.length)];
  if (found === undefined) return;
  // A copy: what is put into itself would have no end.
  const other = structuredClone(found);
  if (random.below(2) === 0) fields.splice(at, 0, other);
  else fields[at] = { field: fields[at]?.field ?? other.field, value: other.value };
};

/** A message in itself, again and again. */
const nest: Alteration = ({ fields, at, random }) => {
  const one = fields[at];
  if (one === undefined) return;
  let { value } = one;
  const depth = 2 ** random.below(11);
  for (let n = 0; n < depth; n++) {
    const inner = encodeWire([{ field: one.field, value }]);
    if (inner.length > inputBytesMax / 2) break;
    value = { kind: "bytes", bytes: inner };
  }
  fields[at] = { field: one.field, value };
};

const alterations: readonly Alteration[] = [
  change,
  change,
  change,
  drop,
  double,
  repeat,
  renumber,
  swap,
  transplant,
  transplant,
  nest,
];

/** Alters fields of a message and keeps its lengths right; undefined for what is no message. */
export function alterWire(
  input: Uint8Array,
  random: Random,
  other: Uint8Array,
): Uint8Array | undefined {
  const fields = parseWire(input);
  if (fields === undefined) return undefined;
  const others = listsOf(parseWire(other) ?? []).flat();
  for (let times = 1 + random.below(3); times > 0; times--) {
    const lists = listsOf(fields);
    const list = lists[random.below(lists.length)] ?? fields;
    const alteration = alterations[random.below(alterations.length)];
    alteration?.({ fields: list, at: random.below(list.length), random, others });
  }
  const bytes = encodeWire(fields);
  return bytes.length > inputBytesMax ? bytes.subarray(0, inputBytesMax) : bytes;
}

function changed(value: WireValue, random: Random): WireValue {
  switch (value.kind) {
    case "varint":
      return { kind: "varint", number: numberNear(value.number, random) };
    case "fixed":
      return { kind: "fixed", bytes: alteredSame(value.bytes, random) };
    case "again":
      return changed(value.value, random);
    case "message":
      return { kind: "bytes", bytes: alterBytes(encodeWire(value.fields), random) };
    case "bytes": {
      const text = hostileTexts[random.below(hostileTexts.length)] ?? "";
      const isText = random.below(2) === 0;
      return { kind: "bytes", bytes: isText ? Buffer.from(text) : alterBytes(value.bytes, random) };
    }
  }
}

function numberNear(number: bigint, random: Random): bigint {
  if (random.below(3) > 0) return hostileNumbers[random.below(hostileNumbers.length)] ?? 0n;
  const near = number + BigInt(random.below(5)) - 2n;
  return near < 0n ? 0n : near & (2n ** 64n - 1n);
}

/** Of the same length: another one would be another type. */
function alteredSame(bytes: Uint8Array, random: Random): Uint8Array {
  const all = [0, 0xff, 0x7f, 0x80][random.below(8)];
  if (all !== undefined) return new Uint8Array(bytes.length).fill(all);
  return bytes.map((byte) => (random.below(3) === 0 ? random.below(256) : byte));
}
