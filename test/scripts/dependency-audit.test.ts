import { expect, test } from "vitest";
import { readAudit } from "../../scripts/dependency-audit.ts";

/** As npm 11 prints it, cut down to what is read. */
const report = (vulnerabilities: object) =>
  JSON.stringify({ auditReportVersion: 2, vulnerabilities, metadata: { vulnerabilities: {} } });

test("a report without a hole is clean", () => {
  expect(readAudit(report({}))).toEqual({ is: "clean" });
});

test("a hole is found, whatever its severity", () => {
  const holes = { ws: { name: "ws", severity: "high" }, ip: { name: "ip", severity: "low" } };
  expect(readAudit(report(holes))).toEqual({ is: "found", holes: ["ws: high", "ip: low"] });
});

test("holes of others are not those of the packages that are asked about", () => {
  const text = report({ preact: { severity: "high" }, vitest: { severity: "critical" } });
  expect(readAudit(text, ["preact"])).toEqual({ is: "found", holes: ["preact: high"] });
  expect(readAudit(text, ["ws"])).toEqual({ is: "clean" });
});

test("a registry that has no such endpoint leaves it unknown, and is not named", () => {
  const message = "405 Method Not Allowed - POST https://registry.example/-/npm/v1/security";
  const reason = "405 Method Not Allowed - POST /-/npm/v1/security";
  expect(readAudit(JSON.stringify({ message }))).toEqual({ is: "unknown", reason });
});

test.each(["", "not json", "{}", '{"vulnerabilities":{}}'])("%j is no report", (text) => {
  expect(readAudit(text)).toEqual({ is: "unknown", reason: "no report" });
});
