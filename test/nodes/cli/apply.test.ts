import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { readFlag } from "../../../nodes/cli/commit/ledger-entry.ts";
import { temporaryDirectory } from "../store/temporary-directory.ts";
import { openFakeAdmin } from "./fake-admin.ts";
import type { FakeLedger } from "./fake-ledger.ts";
import type { FakeTerminal, Ran } from "./fake-terminal.ts";

let ledger: FakeLedger;
let terminal: FakeTerminal;
let directory: string;

beforeEach(async () => {
  ({ ledger, terminal } = await openFakeAdmin());
  directory = temporaryDirectory();
});

function written(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

/** Applies this text as a file of horizon. */
function apply(text: string, ...args: string[]): Promise<Ran> {
  return terminal.run("apply", "-f", written("f.yaml", `project: horizon\n${text}`), ...args);
}

const first = `
flags:
  a: { percent: 5 }
  b: { percent: 100, kill: "<2.3.5" }
releases: ["2.3.0"]
aliases: { 2.3.0-4.el9: "2.3.0" }
`;

describe("apply", () => {
  it("makes a ledger as the file says, in one commit", async () => {
    const { code, stdout } = await apply(first, "--yes");
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        "+ alias 2.3.0-4.el9: 2.3.0",
        "+ flag a: 5 %",
        "+ flag b: 100 %; killed for <2.3.5",
        "+ release 2.3.0",
        "changes: 4",
        "applied; horizon is at 1.2",
      ].join("\n"),
    );
    expect(ledger.commits).toHaveLength(1);
    expect(ledger.commits[0]).toMatchObject({ expected: { seq: 1 }, actor: "ada@workstation" });
    expect([...ledger.entries.keys()].toSorted()).toEqual([
      "alias/2.3.0-4.el9",
      "flag/a",
      "flag/b",
      "release/2.3.0",
    ]);
  });

  it("changes nothing the second time", async () => {
    await apply(first, "--yes");
    expect(await apply(first)).toEqual({ code: 0, stdout: "changes: 0", stderr: "" });
    expect(ledger.commits).toHaveLength(1);
  });

  it("shows what becomes what, in colours", async () => {
    await apply(first, "--yes");
    terminal.isColored = true;
    const text = 'flags: { a: { percent: 10, note: why }, c: { percent: 1 } }\nreleases: ["2.3.0"]';
    expect((await apply(text, "--dry-run", "--prune", "--revive")).stdout).toBe(
      [
        '<yellow:~ flag a: percent 5 % -> 10 %, note "" -> "why">',
        "<red:- flag b: 100 %; killed for <2.3.5>",
        "<green:+ flag c: 1 %>",
        "changes: 3",
      ].join("\n"),
    );
  });

  it("takes what a file says of a flag for all of it", async () => {
    await apply("flags: { a: { percent: 5, versions: '>=2.3.0', note: why } }", "--yes");
    await apply("flags: { a: { percent: 5 } }", "--yes");
    expect(readFlag(ledger.entries.get("flag/a") ?? new Uint8Array(0))).toMatchObject({
      versions: "",
      note: "",
    });
  });

  it("leaves alone what the file lacks, unless it is to prune", async () => {
    await apply(first, "--yes");
    const text = "flags: { b: { percent: 100, kill: '<2.3.5' } }";
    expect((await apply(text, "--yes")).stdout).toBe("changes: 0");
    expect((await apply(text, "--yes", "--prune")).stdout).toContain("- flag a: 5 %\nchanges: 1");
    // The file has no section of releases, so it says nothing about them.
    expect([...ledger.entries.keys()]).toContain("release/2.3.0");
    expect((await apply("releases: []\naliases: {}", "--yes", "--prune")).code).toBe(0);
    expect([...ledger.entries.keys()]).toEqual(["flag/b"]);
  });

  it("reads several files, and stdin", async () => {
    terminal.input = "project: horizon\nreleases: ['2.3.0']\n";
    const path = written("flags.yaml", "project: horizon\nflags: { a: { percent: 5 } }\n");
    expect((await terminal.run("apply", "--yes", "-f", path, "-")).stdout).toContain("changes: 2");
  });

  it("answers machines", async () => {
    const path = written("f.yaml", "project: horizon\nflags: { a: { percent: 5 } }\n");
    expect(await terminal.json("apply", "-f", path, "--dry-run")).toEqual({
      project: "horizon",
      changed: false,
      position: expect.objectContaining({ seq: 1 }),
      count: 1,
      changes: [{ action: "add", key: "flag/a", says: "flag a: 5 %" }],
    });
    expect(await terminal.json("apply", "-f", path, "--yes")).toMatchObject({
      changed: true,
      position: { seq: 2 },
    });
  });

  it("applies what `flag list --json` says", async () => {
    await apply(first, "--yes");
    const { stdout } = await terminal.run("flag", "list", "horizon", "--json");
    const path = written("horizon.json", stdout);
    expect((await terminal.run("apply", "-f", path, "--prune")).stdout).toBe("changes: 0");
  });
});

describe("asking", () => {
  it("does nothing without a yes", async () => {
    terminal.isInteractive = true;
    expect(await apply(first)).toMatchObject({ code: 1, stderr: "nothing was changed" });
    expect(terminal.questions).toEqual(["Apply to horizon?"]);
    expect(ledger.commits).toEqual([]);
    terminal.consent = true;
    expect(await apply(first)).toMatchObject({ code: 0 });
    expect(ledger.commits).toHaveLength(1);
  });

  it("needs --yes where nobody can be asked", async () => {
    expect(await apply(first)).toMatchObject({
      code: 2,
      stderr:
        "error: there is no terminal to ask on, and nothing was changed\n  hint: Give --yes to do it without asking.",
    });
    expect(ledger.commits).toEqual([]);
  });

  it("is not needed to look", async () => {
    expect(await apply(first, "--dry-run")).toMatchObject({ code: 0, stderr: "" });
    expect(ledger.commits).toEqual([]);
  });
});

describe("a kill", () => {
  beforeEach(async () => {
    await apply(first, "--yes");
  });

  it.each([
    ["gone", "flags: { b: { percent: 100 } }", []],
    ["narrower", "flags: { b: { percent: 100, kill: '<2.3.4' } }", []],
    ["elsewhere", "flags: { b: { percent: 100, kill: '>=2.3.5' } }", []],
    ["gone with its flag", "flags: { a: { percent: 5 } }", ["--prune"]],
  ])("that is %s is refused without --revive", async (_what, text, args) => {
    expect(await apply(text, "--yes", ...args)).toEqual({
      code: 3,
      stdout: "",
      stderr:
        "error: this would lift the kill of b\n  hint: Write the kill into the file, or give --revive if it is really over.",
    });
    expect(ledger.commits).toHaveLength(1);
    expect(await apply(text, "--yes", "--revive", ...args)).toMatchObject({ code: 0 });
    expect(ledger.commits).toHaveLength(2);
  });

  it.each([
    ["the same", "flags: { b: { percent: 1, kill: '<2.3.5' } }"],
    ["wider", "flags: { b: { percent: 100, kill: '<2.3.6' } }"],
    ["of every build", "flags: { b: { percent: 100, kill: true } }"],
  ])("that is %s is no lifting", async (_what, text) => {
    expect(await apply(text, "--yes")).toMatchObject({ code: 0 });
  });

  it("may be in what this version can not read", async () => {
    ledger.entries.set("flag/a", new Uint8Array([0xff]));
    const { code, stderr } = await apply("flags: { a: { percent: 5 } }", "--yes");
    expect({ code, stderr }).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("kill of a"),
    });
  });
});

describe("refusals", () => {
  it("of several files name every problem", async () => {
    const one = written("one.yaml", "project: horizon\nflags: { a: { percent: 500 } }\n");
    const other = written("other.yaml", "project: horizon\nreleases: [2.10]\n");
    expect(await terminal.run("apply", "-f", one, other, "--yes")).toEqual({
      code: 2,
      stdout: "",
      stderr:
        "error: 2 problems in the flag file\n" +
        `  ${one}:2:24: flags.a.percent: "500" is more than everybody: write 0 to 100\n` +
        `  ${other}:2:12: releases[0]: 2.10 would become 2.1; write "2.10"`,
    });
  });

  it("of a file that is not there say which", async () => {
    const path = join(directory, "none.yaml");
    const { code, stderr } = await terminal.run("apply", "-f", path);
    expect(code).toBe(2);
    expect(stderr).toBe(
      `error: cannot read ${path}\n  hint: -f takes the path of a flag file, or - for stdin.`,
    );
  });

  it("of an alias name the release that is missing", async () => {
    const { code, stderr } = await apply('aliases: { "2.3.0-4.el9": "2.3.0" }', "--yes");
    expect(code).toBe(2);
    expect(stderr).toContain("2.3.0-4.el9 is to be 2.3.0, which is not among the releases");
    await apply(first, "--yes");
    const gone = await apply("releases: []", "--yes", "--prune");
    expect(gone.stderr).toContain("2.3.0-4.el9 is to be 2.3.0, which is not among the releases");
    expect(ledger.commits).toHaveLength(1);
  });

  it("say when somebody else was faster", async () => {
    ledger.beforeCommit = () => ledger.seq++;
    const { code, stderr } = await apply(first, "--yes");
    expect(code).toBe(3);
    expect(stderr).toContain("error: somebody has changed horizon meanwhile, and nothing was done");
    expect(stderr).toContain("hint: Run the same again");
    expect(ledger.entries.size).toBe(0);
  });
});
