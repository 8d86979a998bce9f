import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { expect, onTestFinished, test } from "vitest";
import { ProjectPinSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import { NodeService } from "../../gen/headwater/v1/nodes_pb.ts";
import { openAdmin } from "../../nodes/admin/admin.ts";
import { openApps } from "../../nodes/apps/apps.ts";
import { Driver } from "../../nodes/driver.ts";
import { beatExpiryMs, staleAfterMs } from "../../relay/cadence.ts";
import { connect } from "../../sdk/index.ts";
import { epochMs } from "../relay/authority.ts";
import { authority, bring, childOf, pin } from "../relay/child-node.ts";
import { flagEntry } from "../relay/layers/entries.ts";
import { MemoryStore } from "../sim/memory-store.ts";
import { token } from "./admin/open-admin.ts";
import { callJson } from "./apps/open-apps.ts";
import { startWatching, until } from "./apps/watching.ts";
import { LogLines } from "./http/log-lines.ts";

const authorization = `Bearer ${token}`;

/** A node that once had horizon from upstream and hears nothing any more, on a clock of the test. */
function silentNode() {
  const child = childOf();
  bring(child, authority.ledger(flagEntry("alpha", { basisPoints: 10_000 })));
  const store = new MemoryStore();
  store.write([...child.stored.values()]);
  const unheard = create(ProjectPinSchema, { project: "nova", authority: authority.id });
  const clock = { wallMs: epochMs, monoMs: 0 };
  const log = new LogLines();
  const settings = { ...child.settings, upstreams: [], pins: [pin, unheard] };
  const driver = new Driver({ settings, store, clock: { now: () => ({ ...clock }) }, log });
  onTestFinished(() => driver.stop());
  const wait = (forMs: number): void => {
    clock.wallMs += forMs;
    clock.monoMs += forMs;
    driver.tell({ kind: "tick" });
  };
  return { driver, wait, log };
}

/** The addresses of its real ports. */
async function openPorts(access: Driver): Promise<{ url: string; admin: string }> {
  const log = new LogLines();
  const of = { access, address: "127.0.0.1:0", log, deadlines: { closeMs: 1_000 } };
  const apps = await openApps(of);
  const software = "headwater 0.0.0-test";
  const admin = await openAdmin({
    ...of,
    token,
    software,
    startedMs: epochMs,
    advertise: [],
    identity: { pin: new Uint8Array(0) },
  });
  onTestFinished(async () => {
    await Promise.all([apps.close(), admin.close()]);
  });
  return { url: `http://${apps.address}`, admin: `http://${admin.address}` };
}

test("everybody is told how sure the flags are, and nobody's flags change for it", async () => {
  const { driver, wait, log } = silentNode();
  const { url, admin } = await openPorts(driver);
  const transport = createConnectTransport({ baseUrl: url, httpVersion: "1.1" });
  const operator = createClient(
    NodeService,
    createConnectTransport({
      baseUrl: admin,
      httpVersion: "1.1",
      interceptors: [
        (next) => (request) => {
          request.header.set("authorization", authorization);
          return next(request);
        },
      ],
    }),
  );
  const watching = startWatching(transport, { project: "horizon", version: "2.3.0" });
  const app = { url, project: "horizon", version: "2.3.0", telemetry: "off" } as const;
  const flags = await connect(app);
  onTestFinished(() => flags.close());
  const shown: string[] = [];
  flags.on("freshness", (label) => shown.push(label));

  const asked = { project: "horizon", flag: "alpha", instance: "i", version: "2.3.0" };
  const expectEverywhere = async (freshness: string): Promise<void> => {
    const { body } = await callJson(url, "FlagService/Evaluate", asked);
    expect(body).toEqual({ enabled: true, reason: "FULL", freshness });
    await until(() => {
      const last = watching.frames.at(-1);
      return last?.case !== undefined && last.value.freshness === freshness;
    });
    await until(() => flags.details("alpha").freshness === freshness);
    expect(flags.enabled("alpha")).toBe(true);
    const { projects, problems } = await operator.getStatus({});
    expect(projects.map((one) => [one.project, one.freshness])).toEqual([
      ["horizon", freshness],
      ["nova", "EMPTY"],
    ]);
    expect(problems.some((one) => one.startsWith(`horizon is ${freshness}`))).toBe(
      freshness !== "FRESH",
    );
    const metrics = await (await fetch(`${admin}/metrics`, { headers: { authorization } })).text();
    const labels = metrics
      .split("\n")
      .filter((line) => line.startsWith("headwater_project_freshness"));
    expect(labels).toEqual([
      `headwater_project_freshness{project="horizon",freshness="${freshness}"} 1`,
      'headwater_project_freshness{project="nova",freshness="EMPTY"} 1',
    ]);
  };

  await expectEverywhere("FRESH");
  wait(staleAfterMs);
  await expectEverywhere("FRESH");
  wait(1_000);
  await expectEverywhere("STALE");
  wait(beatExpiryMs - staleAfterMs - 2_000);
  await expectEverywhere("STALE");
  wait(1_000);
  await expectEverywhere("EXPIRED");
  expect(shown).toEqual(["STALE", "EXPIRED"]);
  const told = log.lines.filter(({ event }) => event === "freshness-changed");
  expect(told.map(({ message }) => message).filter((text) => text.startsWith("horizon"))).toEqual([
    "horizon is FRESH",
    "horizon is STALE",
    "horizon is EXPIRED",
  ]);
});

test("of what has nothing verified yet is EMPTY, and an app's flags are its defaults", async () => {
  const { driver } = silentNode();
  const { url } = await openPorts(driver);
  for (const project of ["nova", "unknown"]) {
    const asked = { project, flag: "alpha", instance: "i", version: "2.3.0" };
    const { body } = await callJson(url, "FlagService/Evaluate", asked);
    const reason = project === "nova" ? "EMPTY" : "UNKNOWN_FLAG";
    expect(body).toEqual({ enabled: false, reason, freshness: "EMPTY" });
  }
  const app = { url, project: "nova", version: "2.3.0", telemetry: "off" } as const;
  const flags = await connect(app);
  onTestFinished(() => flags.close());
  expect(flags.details("alpha")).toMatchObject({ enabled: false, freshness: "EMPTY" });
  expect(flags.enabled("alpha", { default: true })).toBe(true);
});
