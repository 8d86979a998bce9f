import fc from "fast-check";
import { expect, test } from "vitest";
import {
  cutIntoParts,
  headerBytesMax,
  type Part,
  PartJoiner,
  partHeaders,
  readPart,
} from "../../../nodes/fanout/part.ts";
import { peerMessageBytesMax, peersCountMax } from "../../../relay/limits.ts";

test("parts of any size add up to the message, and none is above the bound", () => {
  const sizes = fc.record({ bytes: fc.uint8Array({ maxLength: 50 }), max: fc.integer({ min: 1 }) });
  fc.assert(
    fc.property(sizes, ({ bytes, max }) => {
      const joiner = new PartJoiner();
      const parts = cutIntoParts(bytes, max);
      expect(Math.max(...parts.map((part) => part.length))).toBeLessThanOrEqual(max);
      const joined = parts.map((part, index) =>
        joiner.join({ sender: "a", number: 0, index, count: parts.length }, part),
      );
      expect(joined.pop()).toEqual(bytes);
      expect(joined.every((one) => one === "unfinished")).toBe(true);
    }),
  );
});

test("a part says in a small header which one it is", () => {
  const part = part0({ index: 7, count: 2 ** 20, number: Number.MAX_SAFE_INTEGER });
  expect(readPart(partHeaders(part))).toEqual(part);
  expect([...partHeaders(part)].flat(2).join(": ").length).toBeLessThan(headerBytesMax);
  expect(readPart(undefined)).toBeUndefined();
});

test("messages of several senders may be interleaved", () => {
  const joiner = new PartJoiner();
  expect(joiner.join(part0({ sender: "a" }), bytes(1))).toBe("unfinished");
  expect(joiner.join(part0({ sender: "b" }), bytes(2))).toBe("unfinished");
  expect(joiner.join(part0({ sender: "a", index: 1 }), bytes(3))).toEqual(bytes(1, 3));
  expect(joiner.join(part0({ sender: "b", index: 1 }), bytes(4))).toEqual(bytes(2, 4));
});

test.for([
  ["the first part is missing", [{ index: 1 }]],
  ["a part in the middle is missing", [{ count: 3 }, { index: 2, count: 3 }]],
  ["a part comes twice", [{ count: 3 }, { index: 1, count: 3 }, { index: 1, count: 3 }]],
  ["a part is of another message", [{}, { number: 2, index: 1 }]],
  ["the header is nonsense", [{ index: Number.NaN, count: Number.NaN }]],
] as const)("a message is lost when %s", ([, parts]) => {
  const joiner = new PartJoiner();
  const joined = parts.map((part) => joiner.join(part0(part), bytes(1)));
  expect(joined.at(-1)).toBe("lost");
  // The next message of the same sender is not harmed by it.
  expect(joiner.join(part0({ number: 9 }), bytes(1))).toBe("unfinished");
  expect(joiner.join(part0({ number: 9, index: 1 }), bytes(2))).toEqual(bytes(1, 2));
});

test.for([1024 * 1024, 0])(
  "a message without end is dropped at a bound, in parts of %i",
  (size) => {
    const joiner = new PartJoiner();
    const part = new Uint8Array(size);
    const count = Math.ceil(peerMessageBytesMax / (size + headerBytesMax));
    const joined = Array.from({ length: count + 1 }, (_, index) =>
      joiner.join(part0({ index, count: count + 9 }), part),
    );
    expect(joined).toContain("lost");
  },
);

test("of more senders than a site has nodes, the oldest unfinished message is dropped", () => {
  const joiner = new PartJoiner();
  for (let sender = 0; sender <= peersCountMax; sender++)
    joiner.join(part0({ sender: `${sender}` }), bytes(1));
  expect(joiner.join(part0({ sender: "0", index: 1 }), bytes(2))).toBe("lost");
  expect(joiner.join(part0({ sender: "1", index: 1 }), bytes(2))).toEqual(bytes(1, 2));
});

function part0(differences: Partial<Part> = {}): Part {
  return { sender: "a", number: 1, index: 0, count: 2, ...differences };
}

function bytes(...values: number[]): Uint8Array {
  return new Uint8Array(values);
}
