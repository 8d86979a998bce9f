import { beforeEach, describe, expect, it } from "vitest";
import type { LedgerStatus } from "../../../../gen/headwater/v1/nodes_pb.ts";
import { readRule } from "../../../../nodes/cli/commit/ledger-entry.ts";
import { openFakeAdmin } from "../fake-admin.ts";
import { type FakeLedger, refusal } from "../fake-ledger.ts";
import type { FakeTerminal } from "../fake-terminal.ts";

const position = { term: 1, seq: 1 };
const own = { ledger: { project: "horizon", authority: new Uint8Array(32).fill(1) }, position };
const overlay = {
  ledger: { project: "horizon", authority: new Uint8Array(32).fill(7) },
  position,
  writable: true,
};
let layers: object[];
let explained: object;
let ledger: FakeLedger;
let terminal: FakeTerminal;

beforeEach(async () => {
  layers = [own, overlay];
  explained = { freshness: "FRESH", hold: { basisPoints: 500, versions: ">=2" } };
  ({ ledger, terminal } = await openFakeAdmin({
    nodes: {
      getStatus: () => ({
        projects: [{ project: "horizon", layers: layers as LedgerStatus[] }],
      }),
      explain: () => explained,
    },
  }));
});

function rule(name: string): ReturnType<typeof readRule> {
  const value = ledger.entries.get(`rule/${name}`);
  return value && readRule(value);
}

const run = (...args: string[]) => terminal.run("overlay", ...args);

describe("overlay cap", () => {
  it("says the most a flag may reach", async () => {
    const { stdout } = await run("cap", "horizon/a", "1%", "--note", "waiting for QA");
    expect(stdout).toBe(
      '+ rule cap/a: capped to 1 %; "waiting for QA"\nthe overlay of horizon is at 1.2',
    );
    expect(rule("cap/a")).toMatchObject({
      flag: "a",
      effect: { case: "cap", value: { basisPoints: 100, versions: "" } },
      note: "waiting for QA",
    });
    expect(ledger.commits[0]).toMatchObject({ ledger: { authority: overlay.ledger.authority } });
  });

  it("says so when the project has no such flag, and waits for it", async () => {
    const { code, stderr } = await run("cap", "horizon/a", "1%");
    expect(code).toBe(0);
    expect(stderr).toBe("horizon has no flag a yet; the rule waits for one of that name");
    ledger.entries.set("flag/a", new Uint8Array());
    expect((await run("cap", "horizon/a", "2%")).stderr).toBe("");
    expect((await run("cap", "horizon/*", "2%")).stderr).toBe("");
  });

  it("keeps versions and note that it is not told, and takes 'PROJECT/*' for all", async () => {
    await run("cap", "horizon/*", "5", "--versions", "<3", "--note", "why");
    const { stdout } = await run("cap", "horizon/*", "4");
    expect(stdout).toContain(
      '~ rule cap/*: capped to 5 % for <3; "why" -> capped to 4 % for <3; "why"',
    );
    expect((await run("cap", "horizon/*", "4")).stdout).toBe(
      "nothing to change; the overlay of horizon is at 1.3",
    );
  });

  it.each([
    [["horizon", "5"], /names neither a flag nor all of a project\n\s+hint: .*'horizon\/\*'/],
    [["horizon/a*", "5"], /names neither a flag nor all/],
    [["horizon/a", "101"], /^error: PERCENT: "101" is more than everybody/],
    [["horizon/a", "5", "--versions", ">="], /^error: --versions: expected a version/],
  ])("refuses %j before a node is asked", async (args, stderr) => {
    const ran = await run("cap", ...args);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatch(stderr);
    expect(ledger.commits).toEqual([]);
  });
});

describe("a node without an overlay", () => {
  it.each([
    ["cap", "horizon/a", "5"],
    ["hold", "horizon/a"],
    ["list", "horizon"],
  ])("is told how to have one: %s", async (...args) => {
    layers = [own];
    const { code, stderr } = await run(...args);
    expect(code).toBe(1);
    expect(stderr).toBe(
      "error: this node writes no overlay of horizon\n" +
        "  hint: `headwater init horizon --overlay` makes one.",
    );
  });

  it("does not take that of another for its own", async () => {
    layers = [own, { ...overlay, writable: false }];
    expect((await run("kill", "horizon/a")).code).toBe(1);
    expect((await run("list", "horizon")).stderr).toContain("none of these is this node's own");
  });

  it("nor the project itself, and one that is not held is unknown as everywhere", async () => {
    layers = [{ ...own, writable: true }];
    expect((await run("kill", "horizon/a")).stderr).toContain("writes no overlay");
    expect((await run("kill", "nova/a")).stderr).toContain('project: "nova" is not held here');
  });
});

describe("overlay hold", () => {
  it("caps at what there is now", async () => {
    expect((await run("hold", "horizon/a")).stdout).toContain(
      "+ rule cap/a: capped to 5 % for >=2",
    );
  });

  it("says why it can not", async () => {
    explained = { freshness: "FRESH", holdProblem: "its percentage differs by version" };
    const { code, stderr } = await run("hold", "horizon/a");
    expect(code).toBe(3);
    expect(stderr).toMatch(/horizon\/a can not be held: its percentage .*\n\s+hint: .*overlay cap/);
    explained = { freshness: "EMPTY" };
    expect((await run("hold", "horizon/a")).code).toBe(4);
    expect((await run("hold", "horizon/*")).code).toBe(2);
  });
});

describe("overlay kill", () => {
  it("adds to what is killed and never lifts it", async () => {
    await run("kill", "horizon/a", "--versions", "<2", "--note", "hangs");
    const { stdout } = await run("kill", "horizon/a", "--versions", ">=4");
    expect(stdout).toContain("killed for <2 || >=4");
    expect(rule("kill/a")).toMatchObject({ note: "hangs" });
    expect((await run("kill", "horizon/a")).stdout).toContain("killed for every build");
    expect((await run("kill", "horizon/a", "--versions", "<2")).stdout).toMatch(/^nothing to/);
  });

  it("of one flag holds what is killed for all, because it goes before that", async () => {
    await run("kill", "horizon/*", "--versions", ">=4");
    await run("kill", "horizon/a", "--versions", "<2");
    expect(rule("kill/a")?.effect.value).toMatchObject({ versions: ">=4 || <2" });
  });

  it("says when the ranges do not fit into one", async () => {
    await run(
      "kill",
      "horizon/a",
      "--versions",
      `=1.${"1".repeat(10)}${" || =2.34567".repeat(15)}`,
    );
    const ran = await run("kill", "horizon/a", "--versions", `=3${" || =4.56789".repeat(15)}`);
    expect(ran).toMatchObject({ code: 3, stderr: expect.stringContaining("into one range") });
  });
});

describe("overlay pin", () => {
  it("pins, or says plainly that no grant allows it", async () => {
    expect((await run("pin", "horizon/a", "50")).stdout).toContain("+ rule pin/a: pinned to 50 %");
    const message = "entries: no grant of horizon allows this overlay rule/pin/b";
    ledger.failures.set("commit", refusal("forbidden", message));
    const { code, stderr } = await run("pin", "horizon/b", "50");
    expect([code, stderr]).toEqual([3, expect.stringContaining(message)]);
  });
});

describe("overlay alias", () => {
  const publish = (...names: string[]) =>
    names.forEach((name) => ledger.entries.set(`release/${name}`, new Uint8Array(0)));

  it("says which release a build is, takes it back, and is listed", async () => {
    publish("2.3.0", "2.4.0");
    const { stdout } = await run("alias", "horizon/1:2.3.0-4~el9/x", "2.3.0");
    expect(stdout).toBe("+ alias 1:2.3.0-4~el9/x: 2.3.0\nthe overlay of horizon is at 1.2");
    expect(ledger.commits[0]).toMatchObject({ ledger: { authority: overlay.ledger.authority } });
    expect((await run("list", "horizon")).stdout).toMatch(/1:2.3.0-4~el9\/x +is 2.3.0 +written/);
    layers = [own, { ...overlay, ungranted: ["alias/1:2.3.0-4~el9/x"] }];
    expect((await terminal.json("overlay", "list", "horizon")) as object).toMatchObject({
      rules: [{ build: "1:2.3.0-4~el9/x", says: "is 2.3.0", granted: false }],
    });
    expect((await run("clear", "horizon/1:2.3.0-4~el9/x", "--alias")).stdout).toContain(
      "- alias 1:2.3.0-4~el9/x: 2.3.0",
    );
    expect((await run("clear", "horizon/a", "--alias", "--cap")).code).toBe(2);
  });

  it.each([
    [["horizon/2.3.0-4.el9", "9.9"], /9\.9 is no release of horizon\n +hint:/, 1],
    [["horizon/2.3.0", "2.4.0"], /horizon itself says that 2\.3\.0 is 2\.3\.0, which goes/, 3],
    [["horizon/el 9", "2.3.0"], /names no build of a project\n +hint: Write PROJECT\/BUILD/, 2],
    [["horizon", "2.3.0"], /names no build of a project/, 2],
  ])("refuses what could have no effect: %j", async (args, stderr, code) => {
    publish("2.3.0", "2.4.0");
    expect(await run("alias", ...args)).toMatchObject({
      code,
      stderr: expect.stringMatching(stderr),
    });
    expect(ledger.commits).toEqual([]);
  });

  it("says plainly that no grant allows it", async () => {
    publish("2.3.0");
    const message = "entries: no grant of horizon allows this overlay alias/2.3.0-4.el9";
    ledger.failures.set("commit", refusal("forbidden", message));
    const { code, stderr } = await run("alias", "horizon/2.3.0-4.el9", "2.3.0");
    expect([code, stderr]).toEqual([3, expect.stringContaining(message)]);
  });
});

describe("overlay clear", () => {
  beforeEach(async () => {
    await run("cap", "horizon/a", "5");
    await run("kill", "horizon/a");
    await run("kill", "horizon/*");
  });

  it("takes back what is named, or all, of that flag alone", async () => {
    expect((await run("clear", "horizon/a", "--kill")).stdout).toContain(
      "- rule kill/a: killed for every build",
    );
    expect([...ledger.entries.keys()]).toEqual(["rule/cap/a", "rule/kill/*"]);
    await run("clear", "horizon/a");
    expect([...ledger.entries.keys()]).toEqual(["rule/kill/*"]);
    expect((await run("clear", "horizon/a")).stdout).toMatch(/^nothing to change/);
    await run("clear", "horizon/*");
    expect(ledger.entries.size).toBe(0);
  });

  it("answers machines", async () => {
    expect(await terminal.json("overlay", "clear", "horizon/a", "--cap")).toMatchObject({
      project: "horizon",
      changed: true,
      changes: [{ action: "remove", key: "rule/cap/a", says: "rule cap/a: capped to 5 %" }],
    });
  });
});

describe("overlay list", () => {
  it("shows what overlays say, whose it is, and what has no effect", async () => {
    await run("cap", "horizon/a", "5", "--note", "QA");
    await run("pin", "horizon/*", "50");
    layers = [own, { ...overlay, ungranted: ["rule/pin/*"] }];
    const { stdout } = await run("list", "horizon");
    expect(stdout.split("\n")).toEqual([
      expect.stringMatching(/^ABOUT +SAYS +NOTE +FROM +AUTHORITY$/),
      expect.stringMatching(/^a +capped to 5 % +QA +written here +sha256:(07){32}$/),
      expect.stringMatching(/^\* +pinned to 50 % \(without a grant, so without effect\) +written/),
    ]);
    expect(await terminal.json("overlay", "list", "horizon")).toMatchObject({
      rules: [
        { flag: "a", says: "capped to 5 %", granted: true },
        { flag: "*", granted: false },
      ],
    });
  });

  it("says so when they say nothing", async () => {
    expect((await run("list", "horizon")).stdout).toBe("no overlay says anything about horizon");
  });
});
