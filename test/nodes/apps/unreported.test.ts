import { createConnectTransport } from "@connectrpc/connect-node";
import { expect, test } from "vitest";
import { FlagTable } from "../../../relay/layers/flag-table.ts";
import { FakeAccess, flagAt } from "../fake-access.ts";
import { callJson, type OpenedApps, openTestApps } from "./open-apps.ts";
import { framesOf, startWatching } from "./watching.ts";

const project = "horizon";
const context = { targetingKey: "web-1" };

async function evaluate({ url }: OpenedApps): Promise<void> {
  const body = { project, flag: "alpha", instance: "web-1" };
  expect((await callJson(url, "FlagService/Evaluate", body)).status).toBe(200);
}

async function watch({ url }: OpenedApps): Promise<void> {
  const transport = createConnectTransport({ baseUrl: url, httpVersion: "1.1" });
  await framesOf(startWatching(transport, { project }), 1);
}

function ofrep(path: string) {
  return async ({ url }: OpenedApps): Promise<void> => {
    const response = await fetch(`${url}/${project}/ofrep/v1/evaluate/flags${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ context }),
    });
    expect(response.status).toBe(200);
  };
}

function opened(isCensusOpen: boolean): Promise<OpenedApps> {
  const answer = { enabled: false, reason: "OFF", freshness: "FRESH" } as const;
  const access = new FakeAccess({ evaluate: () => answer });
  access.isCensusOpen = isCensusOpen;
  access.project(project, { tables: new Map([["", new FlagTable("", [flagAt("alpha", 500)])]]) });
  return openTestApps(access);
}

test.each<[string, (apps: OpenedApps) => Promise<void>, string]>([
  ["an evaluation", evaluate, "horizon/web-1"],
  ["one flag by OFREP", ofrep("/alpha"), "horizon/web-1"],
  ["all flags by OFREP", ofrep(""), "horizon/web-1"],
  ["a watch that does not report", watch, "horizon/"],
])("%s is told of, as long as that is news to a census", async (_, ask, who) => {
  const apps = await opened(true);
  await ask(apps);
  expect(apps.access.told).toContainEqual({ kind: "app-unreported", project });
  expect(apps.access.askedOf).toContain(who);
  const silent = await opened(false);
  await ask(silent);
  expect(silent.access.toldKinds).not.toContain("app-unreported");
});

test("a watch of an app that reports is nobody's doubt", async () => {
  const apps = await opened(true);
  const transport = createConnectTransport({ baseUrl: apps.url, httpVersion: "1.1" });
  await framesOf(startWatching(transport, { project, reports: true }), 1);
  expect(apps.access.toldKinds).not.toContain("app-unreported");
});
