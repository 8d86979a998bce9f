import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ReportRequestSchema } from "../../gen/headwater/v1/apps_pb.ts";
import { newAppsCounts } from "../../nodes/apps/apps-counts.ts";
import { reportTaker } from "../../nodes/apps/telemetry-service.ts";
import { parseFlagFile } from "../../nodes/cli/file/flag-file.ts";
import { readConfig } from "../../nodes/config/config.ts";
import { HeadwaterError } from "../../nodes/error.ts";
import {
  censusesOpenMax,
  corsOriginsMax,
  crashLengthMax,
  instanceLengthMax,
  noteLengthMax,
  reportCrashesMax,
  reportDependenciesMax,
  reportFeaturesMax,
  reportFlagsMax,
  upstreamsCountMax,
  versionLengthMax,
  vocabularyWordsMax,
} from "../../relay/limits.ts";
import { documentProblem } from "../../relay/telemetry/document-problem.ts";
import { epochMs } from "../relay/authority.ts";
import { renewedEvery } from "./busy-node.ts";
import { project } from "./honest-mesh.ts";
import { FuzzAccess } from "./node-access.ts";
import { documentSeeds } from "./targets/documents.ts";

const node = renewedEvery(1_000)();
const access = new FuzzAccess(node);
const rate = { burst: 1_000, perSecond: 1 };
const take = reportTaker({ access, counts: newAppsCounts(), rate });

/** What is said of an input of this size; empty when it is taken. */
type Attempt = (size: number) => string | Promise<string>;

function reported(of: (size: number) => MessageInitShape<typeof ReportRequestSchema>): Attempt {
  return async (size) => {
    const report = create(ReportRequestSchema, {
      project,
      version: "1.0",
      health: "OK",
      instance: "i-1",
      ...of(size),
    });
    try {
      await take(report, "127.0.0.1");
      return "";
    } catch (thrown) {
      return HeadwaterError.from(thrown).message;
    }
  };
}

function documented(
  alter: (document: (typeof documentSeeds)[number], size: number) => void,
): Attempt {
  return (size) => {
    const document = structuredClone(documentSeeds[0]!);
    alter(document, size);
    return documentProblem(document, epochMs) ?? "";
  };
}

function configured(variable: string, item: string): Attempt {
  return (size) => {
    const env = { [variable]: Array(size).fill(item).join(",") };
    const read = readConfig({ env, hostName: "host" });
    return "problems" in read ? read.problems.join("; ") : "";
  };
}

function listed<T>(size: number, item: (n: number) => T): T[] {
  return Array.from({ length: size }, (_, n) => item(n));
}

function noted(size: number): string {
  const flags = { a: { percent: 1, note: "n".repeat(size) } };
  const read = parseFlagFile({ path: "f", text: JSON.stringify({ project, flags }) });
  return "problems" in read ? read.problems.join("; ") : "";
}

const word = (n: number) => ({ name: `w${n}`, basisPoints: 1, count: 1 });

/** Each bound, the field that a refusal names, and what takes an input of a size. */
const bounds: readonly [string, number, RegExp, Attempt][] = [
  [
    "reportFlagsMax",
    reportFlagsMax,
    /^flags: 1001 /,
    reported((size) => ({
      flags: listed(size, (n) => ({ name: `f${n}`, active: true })) as never,
    })),
  ],
  [
    "reportFeaturesMax",
    reportFeaturesMax,
    /^features: 1001 /,
    reported((size) => ({ features: listed(size, (n) => `f${n}`) })),
  ],
  [
    "reportDependenciesMax",
    reportDependenciesMax,
    /^dependencies: 201 /,
    reported((size) => ({
      dependencies: listed(size, (n) => ({ project: `p${n}`, version: "1" })) as never,
    })),
  ],
  [
    "reportCrashesMax",
    reportCrashesMax,
    /^crashes: 11 /,
    reported((size) => ({ crashes: listed(size, (n) => n.toString(16).padStart(32, "a")) })),
  ],
  [
    "instanceLengthMax",
    instanceLengthMax,
    /^instance: 201 /,
    reported((size) => ({ instance: "i".repeat(size) })),
  ],
  [
    "versionLengthMax",
    versionLengthMax,
    /^version: 101 /,
    reported((size) => ({ version: "1".repeat(size) })),
  ],
  [
    "crashLengthMax",
    crashLengthMax,
    /^crashes\[0\]: /,
    reported((size) => ({ crashes: ["a".repeat(size)] })),
  ],
  [
    "censusesOpenMax",
    censusesOpenMax,
    /^census: more than 8/,
    documented((document, size) => {
      document.census = listed(size, () => ({
        openedMs: 1n,
        window: 1,
        answer: 0,
        expelled: 0,
      })) as never;
    }),
  ],
  [
    "upstreamsCountMax",
    upstreamsCountMax,
    /HEADWATER_UPSTREAMS: more than 16/,
    configured("HEADWATER_UPSTREAMS", "a:7701"),
  ],
  [
    "corsOriginsMax",
    corsOriginsMax,
    /HEADWATER_APPS_CORS_ORIGINS: more than 100/,
    configured("HEADWATER_APPS_CORS_ORIGINS", "https://a.example"),
  ],
  ["noteLengthMax", noteLengthMax, /flags\.a\.note/, noted],
];

test.each(bounds)(
  "at %s an input is taken, past it refused with the field's name",
  async (_, bound, says, attempt) => {
    expect(await attempt(bound)).toBe("");
    expect(await attempt(bound + 1)).toMatch(says);
  },
);

test("words of a document: one more than the vocabulary, for all others", () => {
  const of = documented((document, size) => {
    document.weights!.releases = listed(size, word) as never;
  });
  expect(of(vocabularyWordsMax + 1)).toBe("");
  expect(of(vocabularyWordsMax + 2)).toMatch(/^weights\.releases: too many words/);
});
