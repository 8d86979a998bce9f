import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, type TestContext, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { joinProcess, NodeProcess } from "../../scripts/demo/node-process.ts";
import { findPromtool } from "../../scripts/promtool.mjs";
import { temporaryDirectory } from "../nodes/store/temporary-directory.ts";

const folder = join(import.meta.dirname, "../../docs/grafana");
const rulesFile = join(folder, "alerts.yml");
const rules = readFileSync(rulesFile, "utf8");
const dashboard = JSON.parse(readFileSync(join(folder, "headwater.json"), "utf8")) as {
  panels: { title: string; targets: { expr: string }[] }[];
};

/** What a root and its child say once a change has gone from one to the other. */
let said = "";
let saidBySite = "";

beforeAll(async () => {
  await using root = await NodeProcess.start("upstream");
  await using site = await NodeProcess.start("plant");
  await root.do(["init", "horizon"]);
  await joinProcess(root, site);
  await root.do(["flag", "set", "horizon/fast-path", "5%"]);
  const arrived = async (): Promise<boolean> =>
    (await site.evaluate({ project: "horizon", flag: "fast-path" })).reason === "ROLLOUT";
  await eventually("the flag is at the site", arrived, 60_000);
  saidBySite = await metricsOf(site);
  said = `${await metricsOf(root)}\n${saidBySite}`;
}, 240_000);

async function metricsOf(node: NodeProcess): Promise<string> {
  const token = readFileSync(join(node.dataDirectory, "admin.token"), "utf8").trim();
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`http://${node.admin}/metrics`, { headers })).text();
}

function promtool(context: TestContext): string {
  const path = findPromtool();
  if (path !== undefined) return path;
  const why = "no promtool here: put one on the PATH, or run node scripts/promtool.mjs";
  if (process.env["CI"]) throw new Error(why);
  return context.skip(why);
}

/** Names of metrics in an expression, those of parts of a histogram as the histogram's. */
function metricsIn(text: string): Set<string> {
  const names = text.match(/\b(headwater|nodejs|process)_[a-z0-9_]+/g) ?? [];
  return new Set(names.map((name) => name.replace(/_(bucket|sum|count)$/, "")));
}

test("a change's way to its apps is measured, from the root's commit on", () => {
  const counted = /headwater_propagation_seconds_count\{project="horizon"\} (\d+)/.exec(said);
  expect(Number(counted?.[1])).toBeGreaterThanOrEqual(1);
  expect(said).toMatch(/headwater_events_total\{event="operated",level="info"\} \d+/);
  expect(said).toMatch(/headwater_app_calls_total\{call="[^"]*FlagService\/Evaluate"\} \d+/);
});

test("the dashboard and the alerts ask for what nodes say", () => {
  const known = metricsIn(said.match(/^# TYPE \S+/gm)?.join("\n") ?? "");
  const asked = new Set([
    ...metricsIn(
      dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)).join("\n"),
    ),
    ...metricsIn(rules),
  ]);
  expect(asked.size).toBeGreaterThan(10);
  expect([...asked].filter((name) => !known.has(name))).toEqual([]);
});

test("what an alert waits for is counted from nothing on, or its first time would go unseen", () => {
  const events = [...rules.matchAll(/headwater_events_total\{event="([^"]+)"\}/g)].map(
    ([, event]) => event,
  );
  expect(events).toHaveLength(2);
  for (const event of events)
    expect(saidBySite).toMatch(
      new RegExp(`^headwater_events_total\\{event="${event}",.*\\} 0$`, "m"),
    );
});

test("promtool takes the rules, every expression of the dashboard, and what nodes say", (context) => {
  const path = promtool(context);
  expect(execFileSync(path, ["check", "rules", rulesFile], { encoding: "utf8" })).toContain(
    "SUCCESS",
  );
  const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  const recorded = expressions.map((expr, at) => ({ record: `dashboard:expression_${at}`, expr }));
  const groups = [{ name: "dashboard", rules: recorded }];
  const file = join(temporaryDirectory(), "expressions.yml");
  writeFileSync(file, JSON.stringify({ groups }));
  expect(execFileSync(path, ["check", "rules", file], { encoding: "utf8" })).toContain("SUCCESS");
  // It tells on stderr, and ends otherwise than well, where a name or a unit is not as it should be.
  const checked = spawnSync(path, ["check", "metrics"], { encoding: "utf8", input: saidBySite });
  const ours = checked.stderr.split("\n").filter((line) => line.startsWith("headwater_"));
  expect(ours).toEqual([]);
});

test.for([
  { what: "late once, after an outage", inTime: "0x120", all: "0x10 1x110", isTold: false },
  { what: "late for an hour and more", inTime: "0x120", all: "0+1x120", isTold: true },
  { what: "in time", inTime: "0+1x120", all: "0+1x120", isTold: false },
])("somebody is told of changes that are $what: $isTold", ({ inTime, all, isTold }, context) => {
  const series = [
    { le: "30", values: inTime },
    { le: "60", values: all },
    { le: "+Inf", values: all },
  ].map(({ le, values }) => ({
    series: `headwater_propagation_seconds_bucket{project="horizon",instance="plant",le="${le}"}`,
    values,
  }));
  const alert = 'ALERTS{alertname="HeadwaterSlowPropagation",alertstate="firing"}';
  const expr = `sum(count_over_time(${alert}[2h])) > bool 0 or vector(0)`;
  const exp_samples = [{ labels: "{}", value: isTold ? 1 : 0 }];
  const promql_expr_test = [{ expr, eval_time: "2h", exp_samples }];
  const tests = [{ interval: "1m", input_series: series, promql_expr_test }];
  const file = join(temporaryDirectory(), "tests.yml");
  writeFileSync(
    file,
    JSON.stringify({ rule_files: [rulesFile], evaluation_interval: "1m", tests }),
  );
  const path = promtool(context);
  const { stdout, stderr } = spawnSync(path, ["test", "rules", file], { encoding: "utf8" });
  expect(`${stdout}${stderr}`).toContain("SUCCESS");
});
