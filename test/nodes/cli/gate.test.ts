import { describe, expect, it } from "vitest";
import type { CheckGateRequest } from "../../../gen/headwater/v1/rollouts_pb.ts";
import { openFakeAdmin } from "./fake-admin.ts";
import { FakeTerminal } from "./fake-terminal.ts";

const said = {
  checks: [{ answer: "NO", condition: "95 % on 2.3.0 or newer", reason: "80 % of what runs" }],
  data: { reportersCount: 4, own: true, childrenCount: 5, windowsOldMax: 1 },
};

describe("gate", () => {
  it.each([
    ["YES", 0],
    ["NO", 1],
    ["UNKNOWN", 4],
  ])(
    "ends with what the answer %s means, the reason and how complete the data is",
    async (answer, code) => {
      const asked: CheckGateRequest[] = [];
      const checkGate = (request: CheckGateRequest) => {
        asked.push(request);
        return { ...said, answer };
      };
      const { terminal } = await openFakeAdmin({ rollouts: { checkGate } });
      const ran = await terminal.run("gate", "horizon", "--at-least", "2.3.0", "--share", "95%");
      expect(ran).toMatchObject({ code, stderr: "" });
      expect(ran.stdout).toBe(
        `${answer.toLowerCase()}\n  no  95 % on 2.3.0 or newer  80 % of what runs\n` +
          "  3 sites reporting of 5 sites connected, and own apps; the oldest document is 1 window old",
      );
      expect(asked[0]?.conditions[0]?.condition).toMatchObject({
        case: "atLeast",
        value: { release: "2.3.0", basisPoints: 9500 },
      });
      expect(await terminal.run("gate", "horizon", "--active", "x", "--json")).toMatchObject({
        code,
      });
    },
  );

  it.each([
    [[], "nothing is asked"],
    [["--share", "5%"], "--share is not enough"],
    [["--verdict", "ok"], "--verdict is not enough"],
    [["--flag", "x"], "--release and --flag is not enough"],
    [["--verdict", "bad", "--flag", "x"], '--verdict: "bad" is none that can be asked for'],
    [["--at-least", "a b"], '"a b" is no name'],
    [["--active", "x", "--share", "200%"], "PERCENT:"],
  ])("with %j is wrong usage", async (options, problem) => {
    const { code, stderr } = await new FakeTerminal({}).run("gate", "horizon", ...options);
    expect(code).toBe(2);
    expect(stderr).toContain(problem);
  });
});
