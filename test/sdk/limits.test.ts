import { expect, test } from "vitest";
import * as cadence from "../../relay/cadence.ts";
import * as nodeLimits from "../../relay/limits.ts";
import * as limits from "../../sdk/limits.ts";

test("what a node checks as well has the node's bound", () => {
  expect(limits.reportFlagsMax).toBe(nodeLimits.reportFlagsMax);
  expect(limits.reportFeaturesMax).toBe(nodeLimits.reportFeaturesMax);
  expect(limits.reportCrashesMax).toBe(nodeLimits.reportCrashesMax);
  expect(limits.reportDependenciesMax).toBe(nodeLimits.reportDependenciesMax);
  expect(limits.instanceLengthMax).toBe(nodeLimits.instanceLengthMax);
  expect(limits.versionLengthMax).toBe(nodeLimits.versionLengthMax);
  expect(limits.urlsCountMax).toBe(nodeLimits.addressesCountMax);
  expect(limits.tableFlagsMax).toBe(nodeLimits.ledgerEntriesMax);
});

test("the rhythms are those of the protocol", () => {
  expect(limits.backoffMsMin).toBe(cadence.backoffMsMin);
  expect(limits.backoffMsMax).toBe(cadence.backoffMsMax);
  expect(limits.reportIntervalMs).toBe(cadence.reportIntervalMs);
  expect(limits.behindMsMax).toBe(cadence.staleAfterMs);
  expect(limits.firstFrameMsMax).toBeGreaterThan(cadence.heartbeatIntervalMs);
  expect(limits.frameSilenceMsMax).toBeGreaterThan(
    cadence.heartbeatIntervalMs * cadence.heartbeatsMissedMax,
  );
});
