import { beforeEach, describe, expect, it } from "vitest";
import {
  type FlagSaying,
  flagEntry,
  flagOf,
  readFlag,
} from "../../../../nodes/cli/commit/ledger-entry.ts";
import { openFakeAdmin } from "../fake-admin.ts";
import type { FakeLedger } from "../fake-ledger.ts";
import type { FakeTerminal } from "../fake-terminal.ts";

let ledger: FakeLedger;
let terminal: FakeTerminal;

beforeEach(async () => {
  ({ ledger, terminal } = await openFakeAdmin());
});

function hold(saying: Partial<FlagSaying> & { name: string }): void {
  const { key, value } = flagEntry(flagOf({ basisPoints: 0, versions: "", note: "", ...saying }));
  ledger.entries.set(key, value);
}

function held(name: string): ReturnType<typeof readFlag> {
  const value = ledger.entries.get(`flag/${name}`);
  return value && readFlag(value);
}

describe("flag set", () => {
  it("creates a flag", async () => {
    expect(await terminal.run("flag", "set", "horizon/new-scheduler", "5%")).toEqual({
      code: 0,
      stdout: "+ flag new-scheduler: 5 %\nhorizon is at 1.2",
      stderr: "",
    });
    expect(held("new-scheduler")).toMatchObject({ basisPoints: 500, hash: 2, versions: "" });
    expect(ledger.commits[0]).toMatchObject({ actor: "ada@workstation", expected: { seq: 1 } });
  });

  it("keeps what it is not told: versions, note and kill", async () => {
    hold({ name: "a", basisPoints: 100, versions: ">=2.3.0", note: "why", kill: "<2.3.5" });
    const { stdout } = await terminal.run("flag", "set", "horizon/a", "0.5");
    expect(stdout).toBe("~ flag a: percent 1 % -> 0.5 %\nhorizon is at 1.2");
    expect(held("a")).toMatchObject({
      basisPoints: 50,
      versions: ">=2.3.0",
      note: "why",
      kill: { versions: "<2.3.5" },
    });
  });

  it("changes versions and note when told", async () => {
    hold({ name: "a", basisPoints: 500, versions: ">=2.3.0", note: "why" });
    const options = ["--versions", "*", "--note", "because"];
    const { stdout } = await terminal.run("flag", "set", "horizon/a", "5", ...options);
    expect(stdout).toContain('versions >=2.3.0 -> every build, note "why" -> "because"');
    expect(held("a")).toMatchObject({ versions: "", note: "because" });
  });

  it("replaces a rollout by versions", async () => {
    hold({ name: "a", rollout: [{ versions: ">=2.4.0", basisPoints: 5000 }] });
    const { stdout } = await terminal.run("flag", "set", "horizon/a", "5");
    expect(stdout).toContain("percent 50 % of >=2.4.0 -> 5 %");
    expect(held("a")).toMatchObject({ basisPoints: 500, rollout: [] });
  });

  it("does nothing when it is so already", async () => {
    hold({ name: "a", basisPoints: 500 });
    const { code, stdout } = await terminal.run("flag", "set", "horizon/a", "5%");
    expect({ code, stdout }).toEqual({ code: 0, stdout: "nothing to change; horizon is at 1.1" });
    expect(ledger.commits).toEqual([]);
  });

  it.each([
    [["101"], /^error: PERCENT: "101" is more than everybody/],
    [["5", "--versions", ">="], /^error: --versions: expected a version/],
    [["5", "--note", "n".repeat(2001)], /^error: --note: 2001 characters; at most 2000/],
  ])("refuses %j before a node is asked", async (args, stderr) => {
    const ran = await terminal.run("flag", "set", "horizon/a", ...args);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatch(stderr);
    expect(ledger.commits).toEqual([]);
  });

  it("says so when somebody else was faster", async () => {
    ledger.beforeCommit = () => ledger.seq++;
    expect(await terminal.run("flag", "set", "horizon/a", "5")).toEqual({
      code: 3,
      stdout: "",
      stderr:
        "error: somebody has changed horizon meanwhile, and nothing was done\n" +
        "  hint: Run the same again: it starts from what there is now.",
    });
    expect(ledger.entries.size).toBe(0);
  });

  it.each([
    ["of a newer reader", { reader: 99 }],
    ["of a later hash", { hash: 3 }],
  ])("leaves a flag alone that is %s", async (_what, newer) => {
    const { key, value } = flagEntry({
      ...flagOf({ name: "a", basisPoints: 0, versions: "", note: "" }),
      ...newer,
    });
    ledger.entries.set(key, value);
    const { code, stderr } = await terminal.run("flag", "set", "horizon/a", "5");
    expect(code).toBe(3);
    expect(stderr).toContain("error: horizon/a was written by a newer version");
    expect(ledger.commits).toEqual([]);
  });

  it("answers machines", async () => {
    expect(await terminal.json("flag", "set", "horizon/a", "5")).toEqual({
      project: "horizon",
      changed: true,
      position: { term: 1, seq: 2, digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
      changes: [{ action: "add", key: "flag/a", says: "flag a: 5 %" }],
    });
  });
});

describe("flag kill", () => {
  it("switches every build off, and leaves the percentage", async () => {
    hold({ name: "a", basisPoints: 10_000 });
    const { stdout } = await terminal.run("flag", "kill", "horizon/a", "--note", "CVE-2026-0001");
    expect(stdout).toBe(
      '~ flag a: kill none -> every build, note "" -> "CVE-2026-0001"\nhorizon is at 1.2',
    );
    expect(held("a")).toMatchObject({ basisPoints: 10_000, kill: { versions: "*" } });
  });

  it.each([
    ["<2.3.5", ">=2.4.0 <2.4.1", "<2.3.5 || >=2.4.0 <2.4.1"],
    ["<2.3.5", "<2.3.6", "<2.3.6"],
    ["<2.3.5", "<2.3.0", "<2.3.5"],
    ["*", "<2.3.0", "*"],
  ])("adds to %j the range %j", async (before, added, after) => {
    hold({ name: "a", kill: before });
    await terminal.run("flag", "kill", "horizon/a", "--versions", added);
    expect(held("a")?.kill?.versions).toBe(after);
  });

  it("keeps a rollout by versions", async () => {
    hold({ name: "a", rollout: [{ versions: ">=2.4.0", basisPoints: 5000 }] });
    await terminal.run("flag", "kill", "horizon/a");
    expect(held("a")?.rollout).toMatchObject([{ versions: ">=2.4.0", basisPoints: 5000 }]);
  });

  it("is of flags that there are", async () => {
    expect(await terminal.run("flag", "kill", "horizon/a")).toEqual({
      code: 1,
      stdout: "",
      stderr:
        "error: horizon has no flag a\n  hint: `headwater flag list horizon` shows those it has.",
    });
  });
});

describe("flag revive", () => {
  it("lifts a kill and nothing else", async () => {
    hold({ name: "a", basisPoints: 500, kill: "<2.3.5", note: "why" });
    const { stdout } = await terminal.run("flag", "revive", "horizon/a");
    expect(stdout).toContain("~ flag a: kill <2.3.5 -> none");
    expect(held("a")).toMatchObject({ basisPoints: 500, note: "why" });
    expect(held("a")?.kill).toBeUndefined();
  });

  it("does nothing to a flag that is not killed", async () => {
    hold({ name: "a" });
    expect((await terminal.run("flag", "revive", "horizon/a")).stdout).toContain(
      "nothing to change",
    );
  });
});

describe("flag delete", () => {
  beforeEach(() => hold({ name: "a", basisPoints: 500, kill: "*" }));

  it("asks, and says that a kill would end", async () => {
    terminal.isInteractive = true;
    expect(await terminal.run("flag", "delete", "horizon/a")).toMatchObject({
      code: 1,
      stderr: "nothing was changed",
    });
    terminal.consent = true;
    expect(await terminal.run("flag", "delete", "horizon/a")).toMatchObject({
      code: 0,
      stdout: "- flag a: 5 %; killed for every build\nhorizon is at 1.2",
    });
    expect(terminal.questions[1]).toBe("Delete horizon/a? It is killed, and that would end.");
    expect(ledger.commits[0]).toMatchObject({ entries: [], tombstones: ["flag/a"] });
  });

  it("needs --yes where nobody can be asked", async () => {
    const { code, stderr } = await terminal.run("flag", "delete", "horizon/a");
    expect(code).toBe(2);
    expect(stderr).toContain("hint: Give --yes");
    expect(ledger.commits).toEqual([]);
    expect((await terminal.run("flag", "delete", "horizon/a", "--yes")).code).toBe(0);
    expect(ledger.entries.size).toBe(0);
  });
});

describe("reading", () => {
  beforeEach(() => {
    hold({ name: "b", basisPoints: 2500, versions: ">=2.3.0", kill: "<2.3.5", note: "hangs" });
    hold({ name: "a", basisPoints: 500 });
    ledger.entries.set("flag/z", new Uint8Array([0xff]));
  });

  it("list is a table in order of name", async () => {
    expect((await terminal.run("flag", "list", "horizon")).stdout).toBe(
      [
        "horizon at 1.1, FRESH, written here; 0 releases, 0 features",
        "",
        "FLAG  PERCENT         VERSIONS  KILLED FOR  NOTE",
        "a     5 %",
        "b     25 %            >=2.3.0   <2.3.5      hangs",
        "z     not understood",
      ].join("\n"),
    );
  });

  it("list is a flag file for machines", async () => {
    expect(await terminal.json("flag", "list", "horizon")).toEqual({
      project: "horizon",
      flags: {
        a: { percent: 5 },
        b: { percent: 25, versions: ">=2.3.0", kill: "<2.3.5", note: "hangs" },
      },
      releases: [],
      features: [],
    });
  });

  it("get shows one, in colour where that is wanted", async () => {
    terminal.isColored = true;
    const { stdout } = await terminal.run("flag", "get", "horizon/b");
    expect(stdout).toContain("<bold:horizon/b>\npercent     25 %");
    expect(stdout).toContain("killed for  <red:<2.3.5>");
    terminal.isColored = false;
    expect(await terminal.json("flag", "get", "horizon/b")).toEqual({
      project: "horizon",
      name: "b",
      percent: 25,
      versions: ">=2.3.0",
      kill: "<2.3.5",
      note: "hangs",
    });
  });

  it("get of none is a no", async () => {
    expect(await terminal.run("flag", "get", "horizon/c")).toMatchObject({ code: 1, stdout: "" });
  });

  it("history says what was changed, by whom", async () => {
    await terminal.run("flag", "set", "horizon/a", "10");
    await terminal.run("flag", "set", "horizon/c", "1");
    const all = (await terminal.run("flag", "history", "horizon")).stdout.split("\n");
    expect(all[1]).toMatch(/ 1\.3 +\+ +flag c: 1 % +ada@workstation +admin from 127\.0\.0\.1$/);
    expect(all[2]).toMatch(/ 1\.2 +~ +flag a: percent 5 % -> 10 % +ada@workstation +admin/);
    expect(await terminal.json("flag", "history", "horizon/a", "--limit", "1")).toMatchObject([
      { kind: "flag", action: "change", key: "flag/a", actor: "ada@workstation" },
    ]);
  });
});
