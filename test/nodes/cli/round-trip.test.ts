import { beforeEach, describe, expect, it } from "vitest";
import { Scalar, stringify } from "yaml";
import type { FlagRecord } from "../../../nodes/cli/flag/flag-record.ts";
import { printable } from "../../../nodes/cli/printable.ts";
import { openFakeAdmin } from "./fake-admin.ts";
import type { FakeTerminal } from "./fake-terminal.ts";

let terminal: FakeTerminal;

beforeEach(async () => {
  ({ terminal } = await openFakeAdmin());
});

/** What YAML takes for something else, what objects have already, and the longest. */
const names = [
  "n".repeat(100),
  `9${"-".repeat(99)}`,
  ...listed("no yes on null true NULL 1e3 0x1 0o7 1_000 12 2.10 1. 2026-01-01 a.b-c_d"),
  ...listed("constructor toString hasOwnProperty toJSON authority overlays then length"),
].toSorted();

const builds = [
  "b".repeat(100),
  ...listed("__proto__ << *a &a # - ? : a: \" ' \\ { % @ | !!str > \\u0041 ~ = constructor"),
  "1:2.3.0-4~el9",
];

function listed(words: string): string[] {
  return words.split(" ");
}

const controls = Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code)).join("");

const notes = [
  "# no comment: [a, {b}] & *c ! | > ' \" % @ `",
  "two\nlines\r\n\r\n  indented\n\n",
  " \t before and after \t ",
  controls,
  "\u2028\u2029\u0085\ufeff\u200b\u202e",
  "👩‍👩‍👧‍👦 ≤ é e\u0301 𝔘",
  "null",
  "1e3",
  "---",
  "...",
  "\\n \\u0041 \\\\",
  "\u0001".repeat(2_000),
  "👍".repeat(1_000),
  "x".repeat(2_000),
];

const named = names.map((name, at) => [name, { percent: at / 100 }] as const);
const noted = notes.map((note, at) => [`note-${at}`, { percent: 99.99, note }] as const);
const flags: Record<string, FlagRecord> = Object.fromEntries<FlagRecord>([
  ...named,
  ...noted,
  ["in-range", { percent: 7, versions: ">=2.3.0 <3 || =1.0.0-rc.1" }],
  ["wide", { rollout: [">=2.4.0-0", "*"].map((versions) => ({ versions, percent: 0.07 })) }],
]);
const killed: Record<string, FlagRecord> = {
  "killed-below": { percent: 100, kill: "<2.3.5", note: "hangs: see #456" },
  "killed-for-all": { rollout: [{ versions: ">=2", percent: 5 }], versions: ">1", kill: "*" },
};
const file = {
  project: "horizon",
  flags: { ...flags, ...killed },
  releases: names,
  features: names,
  crashes: ["ab".repeat(8)],
  aliases: Object.fromEntries(builds.map((build) => [build, "no"])),
  libraries: Object.fromEntries(names.map((name) => [name, `sha256:${"ab".repeat(32)}`])),
};

async function applied(text: string, ...options: string[]): Promise<string> {
  terminal.input = text;
  const { stdout, stderr } = await terminal.run("apply", "-f", "-", ...options);
  return stdout + stderr;
}

/** What a command prints, as it reaches a file. */
async function printed(...args: string[]): Promise<string> {
  return printable((await terminal.run(...args)).stdout);
}

describe("all that a flag file can say", () => {
  it("is applied, listed and applied again as it was", async () => {
    await applied(JSON.stringify(file), "--yes");
    const text = await printed("flag", "list", "horizon", "--json");
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(file)));
    expect(await applied(text, "--prune")).toBe("changes: 0");
  });

  const styles = [
    Scalar.PLAIN,
    Scalar.QUOTE_DOUBLE,
    Scalar.QUOTE_SINGLE,
    Scalar.BLOCK_LITERAL,
  ] as const;
  it.each(styles)("is the same in YAML, written %s", async (style) => {
    await applied(JSON.stringify(file), "--yes");
    const text = stringify(file, { defaultStringType: style, defaultKeyType: Scalar.PLAIN });
    expect(await applied(text, "--prune")).toBe("changes: 0");
  });

  it("comes back from flagd with its names, shares and notes", async () => {
    await applied(JSON.stringify({ project: "horizon", flags: { ...flags } }), "--yes");
    terminal.input = await printed("export", "horizon", "--to", "flagd");
    const back = JSON.parse(await printed("import", "--from", "flagd", "-"));
    for (const [name, { percent, note }] of [...named, ...noted] as [string, FlagRecord][])
      expect([name, back.flags[name]]).toEqual([name, { percent, ...(note && { note }) }]);
  });
});
