import { evaluateAll, evaluateOne } from "../../../nodes/apps/flagd/evaluation.ts";
import { parseSelector } from "../../../nodes/apps/flagd/selector.ts";
import { parseOfrepPath } from "../../../nodes/apps/ofrep/ofrep-path.ts";
import { formatDuration, parseDuration } from "../../../relay/duration.ts";
import { basisPointOf } from "../../../relay/flag/bucket.ts";
import { isCrashSignature } from "../../../relay/flag/crash-name.ts";
import { formatPercent, parsePercent } from "../../../relay/flag/percent.ts";
import { compareVersions, parseVersion } from "../../../relay/flag/version.ts";
import { isInRange, parseRange } from "../../../relay/flag/version-range.ts";
import { stackSignature } from "../../../relay/telemetry/stack-signature.ts";
import { renewedEvery } from "../busy-node.ts";
import { project } from "../honest-mesh.ts";
import { FuzzAccess } from "../node-access.ts";
import { refusedBy } from "../refusals.ts";
import { Broken, type Target, textBytes, textOf } from "../target.ts";
import { parsedJson } from "./flag-files.ts";

const sample = parseVersion("2.3.0-rc.1")!;

/** Each throws when a text is taken for something that it is not. */
const readers: readonly ((text: string) => boolean)[] = [
  (text) => {
    const version = parseVersion(text);
    if (version === undefined) return false;
    if (compareVersions(version, version) !== 0) throw new Broken("a version that is not itself");
    if (compareVersions(version, sample) !== -compareVersions(sample, version))
      throw new Broken("versions whose order depends on who is asked");
    return true;
  },
  (text) => {
    const range = parseRange(text);
    if ("problem" in range) return false;
    isInRange(sample, range);
    return true;
  },
  (text) => {
    const durationMs = parseDuration(text);
    if (typeof durationMs !== "number") return false;
    if (!Number.isFinite(durationMs) || durationMs < 0)
      throw new Broken(`a duration of ${durationMs}`);
    formatDuration(durationMs);
    return true;
  },
  (text) => {
    const basisPoints = parsePercent(text);
    if (typeof basisPoints !== "number") return false;
    if (!(basisPoints >= 0 && basisPoints <= 10_000)) throw new Broken(`a share of ${basisPoints}`);
    if (parsePercent(formatPercent(basisPoints)) !== basisPoints)
      throw new Broken("a share that is another when it is read again");
    return true;
  },
  (text) => {
    const at = basisPointOf({ flag: text.slice(0, 50), instance: text });
    if (!(at >= 0 && at < 10_000)) throw new Broken(`an instance at ${at}`);
    return true;
  },
  (text) => {
    const signature = stackSignature({ stack: text, message: text.slice(0, 20) });
    if (signature === undefined) return false;
    if (!isCrashSignature(signature)) throw new Broken(`a signature that is none: ${signature}`);
    return true;
  },
];

/** Versions, ranges, durations, shares, instance ids and stack traces. */
export const words: Target = {
  name: "words",
  form: "text",
  share: 25,
  seeds: () =>
    [
      "2.3.0",
      "1.2.3.4-rc.1+build.5",
      "2024.1",
      ">=2.3 <3 || =1.0",
      "*",
      "<=1.2.3-alpha.1",
      "1h30m",
      "90 s",
      "7d",
      "12.34",
      "0.01",
      "100",
      "i-1",
      "Error: x\n    at f (/srv/app/a.js:1:2)\n    at async g (node:internal/x:3:4)\n",
      'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    g()\nValueError: x\n',
      'Exception in thread "main" java.lang.Error: x\n\tat a.b.C.d(C.java:1)\nCaused by: x\n',
    ].map(textBytes),
  open: () => (input) => {
    const text = textOf(input);
    return readers.filter((reads) => reads(text)).length > 1 ? "accepted" : "refused";
  },
};

/** What clients of OpenFeature ask: a path of OFREP, a selector of flagd, and a context. */
export const questions: Target = {
  name: "flagd and OFREP questions",
  form: "text",
  share: 20,
  seeds: () =>
    [
      `/ofrep/v1/evaluate/flags/alpha\n${project}\n{"targetingKey":"i-1","version":"2.0"}`,
      `/${project}/ofrep/v1/evaluate/flags\nflagSetId=${project},version=2.0,instance=i-1\n{"context":{"targetingKey":5,"version":null}}`,
      `/${project}/ofrep/v1/events\nsource=${project}\n[]`,
    ].map(textBytes),
  open: () => {
    const nodeNow = renewedEvery(2_000);
    let access = new FuzzAccess(nodeNow());
    return (input) => {
      const node = nodeNow();
      if (access.node !== node) access = new FuzzAccess(node);
      const [path = "", selectorText = "", ...rest] = textOf(input).split("\n");
      const parsed = parsedJson(rest.join("\n"));
      const isFields = typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
      const context = isFields ? (parsed as Record<string, unknown>) : {};
      try {
        const asked = parseOfrepPath(path);
        const selector = parseSelector(selectorText);
        const flag = asked?.kind === "one" ? asked.flag : "alpha";
        const { value } = evaluateOne(access, { selector, flag, context });
        if (typeof value !== "boolean" && value !== undefined)
          throw new Broken("a flag that is no switch");
        JSON.stringify(evaluateAll(access, { selector, context }));
        return asked === undefined ? "refused" : "accepted";
      } catch (thrown) {
        return refusedBy(thrown);
      }
    };
  },
};
