import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import {
  type CensusResultSchema,
  CensusStandingSchema,
} from "../../../gen/headwater/v1/censuses_pb.ts";
import {
  CheckGateRequestSchema,
  GateConditionSchema,
} from "../../../gen/headwater/v1/rollouts_pb.ts";
import { HealthSchema, WeightsSchema } from "../../../gen/headwater/v1/telemetry_pb.ts";
import { gateConditionsMax } from "../../../relay/limits.ts";
import {
  checkCondition,
  conditionProblem,
  type GateFacts,
  joinAnswers,
  shareAtLeast,
} from "../../../relay/rollout/gate.ts";
import { refusalOf } from "../authority.ts";
import { rootNode } from "../stepped-node.ts";

type Asked = NonNullable<MessageInitShape<typeof GateConditionSchema>["condition"]>;

const facts = (of: {
  releases?: Readonly<Record<string, number>>;
  flags?: Readonly<Record<string, number>>;
  judged?: Readonly<Record<string, number>>;
  reportersCount?: number;
  sitesMin?: number;
  releasesOnlyCount?: number;
}): GateFacts => {
  const list = (shares: Readonly<Record<string, number>> = {}) =>
    Object.entries(shares).map(([name, basisPoints]) => ({ name, basisPoints }));
  const judged = Object.entries(of.judged ?? {});
  return {
    censuses: [],
    weights: create(WeightsSchema, {
      releases: list(of.releases),
      flags: list(of.flags),
      releasesOnly: (of.releasesOnlyCount ?? 0) === (of.reportersCount ?? 3) ? 1 : 0,
    }),
    health: create(HealthSchema, {
      releases: judged.map(([release, judgement]) => ({ release, judgement })),
      flags: judged.map(([flag, judgement]) => ({ flag, judgement })),
    }),
    reportersCount: of.reportersCount ?? 3,
    releasesOnlyCount: of.releasesOnlyCount ?? 0,
    sitesMin: of.sitesMin ?? 0,
  };
};

const answerTo = (condition: Asked, of: Parameters<typeof facts>[0]): string => {
  const { answer, reason } = checkCondition(create(GateConditionSchema, { condition }), facts(of));
  return `${answer}: ${reason}`;
};

const atLeast = (release: string, basisPoints: number): Asked => ({
  case: "atLeast",
  value: { release, basisPoints },
});

describe("a share at least at a release", () => {
  test("is of what runs: sites that run nothing, and what rounding adds, change nothing", () => {
    const releases = { "1.9": 500, "1.10": 1500, "2.0": 2000, other: 0 };
    expect(answerTo(atLeast("1.10", 8750), { releases })).toBe("YES: 87.5 % of what runs");
    expect(answerTo(atLeast("1.10", 8751), { releases })).toBe("NO: 87.5 % of what runs");
  });

  test("takes builds of no published release for older ones", () => {
    expect(shareAtLeast(facts({ releases: { "2.0": 9000, other: 1000 } }).weights, "2.0")).toBe(
      9000,
    );
  });

  test("is not known where no order of its name is: v2.4.0 may be newer than v2.3.0, or not", () => {
    const releases = { "v2.3.0": 4000, "v2.4.0": 6000 };
    expect(answerTo(atLeast("v2.3.0", 4000), { releases })).toBe("YES: 40 % of what runs");
    expect(answerTo(atLeast("v2.3.0", 9500), { releases })).toBe(
      "UNKNOWN: 40 % of what runs is on v2.3.0, which is no version: what is newer can not be told",
    );
  });

  test("can not be known while nothing runs", () => {
    expect(answerTo(atLeast("2.0", 0), { releases: { "2.0": 0 } })).toBe("UNKNOWN: nobody runs it");
  });
});

test("a flag is active for a share of what runs", () => {
  const active: Asked = { case: "active", value: { flag: "wide", basisPoints: 5000 } };
  const releases = { "2.0": 5000 };
  expect(answerTo(active, { releases, flags: { wide: 2500 } })).toBe("YES: 50 % of what runs");
  expect(answerTo(active, { releases, flags: { wide: 2400 } })).toBe("NO: 48 % of what runs");
  expect(answerTo(active, { releases })).toBe("NO: 0 % of what runs");
});

test("of sites that say only their most common release, no gate reads that a flag is off", () => {
  const active = (basisPoints: number): Asked => ({
    case: "active",
    value: { flag: "wide", basisPoints },
  });
  const all = { releases: { "2.0": 10_000 }, releasesOnlyCount: 3 };
  expect(answerTo(active(0), all)).toBe("UNKNOWN: nobody who runs it says which flags are on");
  const one = { ...all, flags: { wide: 5000 }, releasesOnlyCount: 2 };
  expect(answerTo(active(5000), one)).toBe(
    "YES: 50 % of what runs; 2 of 3 sites do not say which flags are on",
  );
  expect(answerTo(active(5000), { ...one, sitesMin: 2 })).toBe(
    "UNKNOWN: 1 of the 2 sites that are wanted say which flags are on",
  );
  expect(answerTo(atLeast("2.0", 1), one)).toBe(
    "YES: 100 % of what runs; of 2 of 3 sites only the most common release is known",
  );
});

test.each([
  ["OK", 1, "YES: it is ok"],
  ["OK", 2, "NO: it is degraded"],
  ["OK", 3, "NO: it is bad"],
  ["OK", 0, "UNKNOWN: it is insufficient"],
  ["DEGRADED", 2, "YES: it is degraded"],
  ["DEGRADED", 3, "NO: it is bad"],
])("a verdict %s is asked for and %i given: %s", (verdict, judgement, expected) => {
  for (const kind of ["RELEASE", "FLAG"]) {
    const asked: Asked = { case: "verdict", value: { kind, name: "x", verdict } };
    expect(answerTo(asked, { judged: { x: judgement } })).toBe(expected);
  }
});

test("data that is not there is never a yes", () => {
  const releases = { "2.0": 10_000 };
  expect(answerTo(atLeast("2.0", 0), { releases, reportersCount: 0 })).toBe(
    "UNKNOWN: nobody has reported",
  );
  expect(answerTo(atLeast("2.0", 0), { releases, sitesMin: 4 })).toBe(
    "UNKNOWN: 3 of the 4 sites that are wanted have reported",
  );
  expect(joinAnswers([])).toBe("UNKNOWN");
  expect(joinAnswers(["YES", "UNKNOWN"])).toBe("UNKNOWN");
  expect(joinAnswers(["YES", "UNKNOWN", "NO"])).toBe("NO");
  expect(joinAnswers(["YES", "YES"])).toBe("YES");
});

test("a census is for all who take part: where somebody is left out it is not known", () => {
  const answer = (result: MessageInitShape<typeof CensusResultSchema>): string => {
    const results = [{ answer: "UNUSED", childrenCount: 2, reason: "so it is", ...result }];
    const asked = create(CensusStandingSchema, { kind: "FEATURE", name: "old-api", results });
    const value = { kind: "FEATURE", name: "old-api" };
    const condition = create(GateConditionSchema, { condition: { case: "unused", value } });
    return checkCondition(condition, { ...facts({}), censuses: [asked] }).answer;
  };
  expect(answer({})).toBe("YES");
  expect(answer({ answer: "USED" })).toBe("NO");
  expect(answer({ expelled: true })).toBe("UNKNOWN");
});

test("of two questions about the same the one counts that is answered", () => {
  const results = [{ answer: "UNUSED", childrenCount: 2, reason: "so it is" }];
  const about = { kind: "FEATURE", name: "old-api" };
  const answered = create(CensusStandingSchema, { ...about, state: "OPEN", results });
  const problem = "the same is asked by feature/old-api/1, which was not closed when it was opened";
  const unanswered = create(CensusStandingSchema, { ...about, state: "OPEN", problem });
  const condition = create(GateConditionSchema, { condition: { case: "unused", value: about } });
  const censuses = [unanswered, answered];
  expect(checkCondition(condition, { ...facts({}), censuses }).answer).toBe("YES");
});

test("what the project has no word for is named", () => {
  const own = { releases: new Set(["2.0"]), flags: new Map(), features: new Set(["old-api"]) };
  const problem = (condition?: Asked) =>
    conditionProblem(create(GateConditionSchema, { ...(condition && { condition }) }), own);
  expect(problem(atLeast("2.0", 1))).toBeUndefined();
  expect(problem(atLeast("3.0", 1))).toBe('there is no release "3.0"');
  expect(problem({ case: "active", value: { flag: "x", basisPoints: 1 } })).toBe(
    'there is no flag "x"',
  );
  expect(problem({ case: "verdict", value: { kind: "FLAG", name: "x", verdict: "OK" } })).toBe(
    'there is no flag "x"',
  );
  expect(problem()).toMatch(/asks nothing/);
});

test("a question of more parts than a pipeline asks is refused by the name of its field", () => {
  const root = rootNode();
  const asked = (count: number): string => {
    const condition: Asked = { case: "unused", value: { kind: "BELOW", name: "2.0" } };
    const conditions = Array.from({ length: count }, () => ({ condition }));
    const request = create(CheckGateRequestSchema, { project: "horizon", conditions });
    const outcome = root.node.reads.gate(request, root.wallMs);
    return outcome.ok ? outcome.value.answer : refusalOf(outcome);
  };
  expect(asked(gateConditionsMax)).toBe("UNKNOWN");
  expect(asked(gateConditionsMax + 1)).toContain("limit: conditions: 101; at most 100 are allowed");
});
