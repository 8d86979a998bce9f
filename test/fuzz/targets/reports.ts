import { create, fromJsonString, toBinary, toJsonString } from "@bufbuild/protobuf";
import { type ReportRequest, ReportRequestSchema } from "../../../gen/headwater/v1/apps_pb.ts";
import { newAppsCounts } from "../../../nodes/apps/apps-counts.ts";
import { reportTaker } from "../../../nodes/apps/telemetry-service.ts";
import { dayMs } from "../../../relay/cadence.ts";
import { renewedEvery } from "../busy-node.ts";
import { readEverything } from "../every-read.ts";
import { project, signature } from "../honest-mesh.ts";
import { FuzzAccess } from "../node-access.ts";
import { readOr } from "../read-or.ts";
import { assertEffects, refusedBy } from "../refusals.ts";
import { type Attempt, type Target, textBytes, textOf } from "../target.ts";

const unlimited = { burst: Number.MAX_SAFE_INTEGER, perSecond: 1 };

/** All that a report can say, in turn with little. */
const full = create(ReportRequestSchema, {
  project,
  version: "2.0",
  health: "DEGRADED",
  instance: "i-77",
  flags: [
    { name: "alpha", active: true },
    { name: "beta", active: false },
  ],
  features: ["live-migration"],
  dependencies: [{ project: "oslo", version: "1.0" }],
  upgrade: { from: "1.0", outcome: "FAILED" },
  crashes: [signature],
  last: true,
});
const bare = create(ReportRequestSchema, {
  project,
  version: "1.0",
  health: "OK",
  instance: "i-78",
});

function reporting(read: (input: Uint8Array) => ReportRequest | undefined): Attempt {
  const nodeNow = renewedEvery(500);
  let access = new FuzzAccess(nodeNow());
  const counts = newAppsCounts();
  let n = 0;
  return async (input) => {
    const report = read(input);
    if (report === undefined) return "refused";
    const node = nodeNow();
    if (access.node !== node) access = new FuzzAccess(node);
    const take = reportTaker({ access, counts, rate: unlimited });
    try {
      await take(report, "127.0.0.1");
    } catch (thrown) {
      return refusedBy(thrown);
    }
    if (n++ % 64 === 0) {
      assertEffects(node.wait(dayMs));
      readEverything(node);
    }
    return "accepted";
  };
}

export const reports: Target = {
  name: "reports",
  form: "wire",
  share: 20,
  seeds: () => [full, bare].map((one) => toBinary(ReportRequestSchema, one)),
  open: () => reporting((input) => readOr(ReportRequestSchema, input)),
};

export const jsonReports: Target = {
  name: "reports as JSON",
  form: "text",
  share: 15,
  seeds: () => [full, bare].map((one) => textBytes(toJsonString(ReportRequestSchema, one))),
  open: () => reporting(fromJson),
};

/** As Connect reads it. */
function fromJson(input: Uint8Array): ReportRequest | undefined {
  try {
    return fromJsonString(ReportRequestSchema, textOf(input), { ignoreUnknownFields: true });
  } catch {
    return undefined;
  }
}
