import { describe, expect, it } from "vitest";
import type { StartRolloutRequest } from "../../../../gen/headwater/v1/rollouts_pb.ts";
import { openFakeAdmin } from "../fake-admin.ts";
import { FakeLedger } from "../fake-ledger.ts";
import { FakeTerminal } from "../fake-terminal.ts";

const rollout = {
  project: "horizon",
  flag: "wide",
  plan: {
    steps: [
      { basisPoints: 500, dwellMs: 86_400_000n },
      { basisPoints: 10_000, dwellMs: 172_800_000n },
    ],
  },
  state: "RUNNING",
  step: 0,
  reason: "the step lasts 1d",
};

describe("rollout start", () => {
  it("says what the plan is", async () => {
    const asked: StartRolloutRequest[] = [];
    const startRollout = (request: StartRolloutRequest) => {
      asked.push(request);
      return { rollout };
    };
    const { terminal } = await openFakeAdmin({ rollouts: { startRollout } });
    const ran = await terminal.run(
      ..."rollout start horizon/wide --steps 5%:48h,100% --dwell 12h --release 2.3.0".split(" "),
      ..."--share 20% --arrival 90% --sites 3 --on-bad kill --go-on-after 7d --hops 3".split(" "),
    );
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    expect(ran.stdout).toMatch(
      /^horizon\/wide {2}running: the step lasts 1d\n {2}> +5 % +at least 1d/,
    );
    expect(asked[0]?.plan).toMatchObject({
      steps: [
        { basisPoints: 500, dwellMs: 172_800_000n },
        { basisPoints: 10_000, dwellMs: 43_200_000n },
      ],
      release: "2.3.0",
      releaseBasisPoints: 2000,
      arrivalBasisPoints: 9000,
      sitesMin: 3,
      killOnBad: true,
      goOnAfterMs: 604_800_000n,
      hops: 3,
    });
  });

  it.each([
    [["--steps", "5%:soon"], '--steps: "5%:soon" is no step'],
    [["--on-bad", "explode"], '--on-bad: "explode" is not known'],
  ])("with %j is wrong usage", async (options, problem) => {
    const ran = await new FakeTerminal({}).run("rollout", "start", "horizon/wide", ...options);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain(problem);
  });
});

describe("rollout status", () => {
  it("lists all, and shows one with its decisions", async () => {
    const facts = { nowMs: 1_772_366_405_000n, flagVerdict: "BAD" };
    const decisions = [{ rollout, facts, decision: "HALT", reason: "the flag is bad" }];
    const rollouts = {
      listRollouts: () => ({ rollouts: [rollout] }),
      listDecisions: () => ({ decisions }),
    };
    const { terminal } = await openFakeAdmin({ rollouts });
    const all = await terminal.run("rollout", "status");
    expect(all.stdout).toMatch(/horizon\/wide +running +5 % +the step lasts 1d$/);
    const one = await terminal.run("rollout", "status", "horizon/wide");
    expect(one.stdout).toMatch(/2026-03-01 .* +halt +the flag is bad$/);
    expect((await terminal.run("rollout", "status", "horizon/other")).code).toBe(1);
    expect(await terminal.json("rollout", "status", "horizon/wide")).toMatchObject({
      decisions: [{ facts: { flagVerdict: "BAD" } }],
    });
  });

  it("says when there are none", async () => {
    const { terminal } = await openFakeAdmin({});
    expect((await terminal.run("rollout", "status")).stdout).toBe("there are no rollouts");
  });
});

describe("rollout pause, resume and abort", () => {
  it.each(["pause", "resume", "abort"])("%s asks for it", async (name) => {
    const actions: string[] = [];
    const changeRollout = ({ action }: { action: string }) => {
      actions.push(action);
      return { rollout };
    };
    const { terminal } = await openFakeAdmin({ rollouts: { changeRollout } });
    expect((await terminal.run("rollout", name, "horizon/wide")).code).toBe(0);
    expect(actions).toEqual([name.toUpperCase()]);
  });
});

describe("apply", () => {
  it("does not fight a running rollout, and says so also before", async () => {
    const ledger = new FakeLedger("horizon");
    const { terminal } = await openFakeAdmin({
      ledger,
      rollouts: { listRollouts: () => ({ rollouts: [rollout] }) },
    });
    const apply = (flag: string, ...options: string[]) => {
      terminal.input = `project: horizon\nflags: { wide: { ${flag} } }\n`;
      return terminal.run("apply", "-f", "-", "--yes", ...options);
    };
    expect((await apply("percent: 5")).code).toBe(0);
    const refused = await apply("percent: 6", "--dry-run");
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain("a rollout owns the percentage of wide");
    expect((await apply("percent: 5, note: later")).code).toBe(0);
    expect((await apply('percent: 5, kill: "*"')).code).toBe(0);
  });
});
