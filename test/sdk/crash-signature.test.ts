import { describe, expect, test } from "vitest";
import { crashSignature } from "../../sdk/crash-signature.ts";

function withStack(message: string, ...frames: string[]): Error {
  const error = new Error(message);
  error.stack = [`Error: ${message}`, ...frames].join("\n");
  return error;
}

const frames = [
  "    at Scheduler.plan (/home/alice/app/scheduler.js:10:5)",
  "    at async Promise.all (index 0)",
  "    at new Horizon (file:///app/horizon.js:3:1)",
];
const signature = crashSignature(withStack("boom", ...frames));

/** Vectors for FNV-1a, 64 bits, of draft-eastlake-fnv. */
test.each([
  ["", "cbf29ce484222325"],
  ["foobar", "85944171f73967e8"],
])("is FNV-1a of %j", (name, hash) => {
  expect(crashSignature(withStack("", `    at ${name} (x)`))).toBe(hash);
});

describe("is the same", () => {
  test.each([
    ["another text", withStack("alice@example.org", ...frames)],
    ["a text that looks like a stack", withStack("x\n    at secret (y:1:1)", ...frames)],
    [
      "other paths and lines",
      withStack("boom", ...frames.map((frame) => frame.replace(/\d/g, "7"))),
    ],
    [
      "frames without a name, or of Node itself",
      withStack(
        "boom",
        "    at /app/main.js:1:1",
        "    at Object.<anonymous> (/app/main.js:1:1)",
        "    at processTicksAndRejections (node:internal/process/task_queues:95:5)",
        ...frames,
      ),
    ],
  ])("with %s", (_, error) => {
    expect(crashSignature(error)).toBe(signature);
  });

  test("in engines that write frames in another way", () => {
    const stack = "Scheduler.plan@http://app/s.js:10:5\nasync*Promise.all@x:1:1\nHorizon@x:3:1\n";
    expect(crashSignature({ stack, message: "boom" })).toBe(signature);
  });

  test("for all that comes below the fifth name", () => {
    const deep = ["a", "b", "c", "d", "e"].map((name) => `    at ${name} (x:1:1)`);
    expect(crashSignature(withStack("", ...deep, "    at f (x:1:1)"))).toBe(
      crashSignature(withStack("", ...deep)),
    );
  });
});

test("differs where the functions differ", () => {
  expect(crashSignature(withStack("boom", ...frames.slice(1)))).not.toBe(signature);
});

test.each([
  ["a text", "boom"],
  ["nothing", undefined],
  ["an error without a stack", { message: "boom" }],
  [
    "an error that throws",
    {
      get stack() {
        throw new Error("gotcha");
      },
    },
  ],
])("of %s is that of no names", (_, thrown) => {
  expect(crashSignature(thrown)).toBe("cbf29ce484222325");
});
