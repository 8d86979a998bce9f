import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { ListCensusesResponseSchema } from "../../../gen/headwater/v1/censuses_pb.ts";
import { GetStatusResponseSchema } from "../../../gen/headwater/v1/nodes_pb.ts";
import type { Count } from "../../../nodes/metric.ts";
import { done } from "../../../relay/refusal.ts";
import { FakeAccess } from "../fake-access.ts";
import { openTestAdmin, token } from "./open-admin.ts";

const authorization = `Bearer ${token}`;
const authority = new Uint8Array(32).fill(1);

function statusAccess(): FakeAccess {
  return new FakeAccess({
    status: () =>
      create(GetStatusResponseSchema, {
        node: "n-1",
        site: "acme",
        projects: [
          {
            project: "horizon",
            freshness: "STALE",
            flagsCount: 2,
            instancesCount: 4_711,
            layers: [
              {
                ledger: { authority, project: "horizon" },
                position: { term: 1, seq: 42 },
                beatIssuedMs: 1_750_000_000_000n,
                misunderstood: ["flag/x"],
              },
            ],
          },
        ],
        upstreams: [{ state: "CONNECTED" }, { state: "WAITING" }, { state: "WAITING" }],
        children: [{ site: "leaf", connected: true }],
        fanout: { peers: ["n-2"] },
        problems: ["horizon is STALE"],
      }),
    censuses: () =>
      done(
        create(ListCensusesResponseSchema, {
          enrolled: true,
          censuses: [
            { state: "OPEN", results: [{ answer: "UNUSED", expelled: true }, { answer: "USED" }] },
            { state: "OPEN", results: [{ answer: "USED" }] },
            { state: "TO_COME" },
          ],
        }),
      ),
  });
}

test("/healthz answers whoever asks", async () => {
  const { get } = await openTestAdmin();
  const response = await get("/healthz");
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ status: "alive" });
});

test("/healthz is no where only a new start helps", async () => {
  const access = new FakeAccess();
  access.ailment = "its rhythms are 2m late";
  const response = await (await openTestAdmin(access)).get("/healthz");
  expect(response.status).toBe(503);
  expect(await response.json()).toEqual({ status: "ailing", why: "its rhythms are 2m late" });
});

describe("/readyz", () => {
  const ask = async (...projects: ["FRESH" | "STALE" | "EXPIRED" | "EMPTY", string][]) => {
    const access = new FakeAccess();
    for (const [freshness, name] of projects) access.project(name, { freshness });
    const response = await (await openTestAdmin(access)).get("/readyz");
    return { status: response.status, body: await response.json() };
  };

  test("is yes for a node without a project: there is nothing that it should have", async () => {
    expect(await ask()).toEqual({ status: 200, body: { status: "ready", empty: [] } });
  });

  test("is no for a node that has nothing of what it should have", async () => {
    expect(await ask(["EMPTY", "horizon"], ["EMPTY", "nova"])).toEqual({
      status: 503,
      body: { status: "empty", empty: ["horizon", "nova"] },
    });
  });

  test("is yes with old data, and when one project of several is missing", async () => {
    expect((await ask(["STALE", "horizon"], ["EXPIRED", "nova"])).status).toBe(200);
    expect(await ask(["FRESH", "horizon"], ["EMPTY", "nova"])).toEqual({
      status: 200,
      body: { status: "ready", empty: ["nova"] },
    });
  });
});

describe("/metrics", () => {
  test("needs the token", async () => {
    const { get } = await openTestAdmin(statusAccess());
    const response = await get("/metrics");
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toBe("Bearer");
  });

  test("tells what operators watch, and not how many instances there are", async () => {
    const counts: Count[] = [
      { name: "reports_total", help: "Reports", kind: "counter", read: () => 7 },
      { name: "watchers", help: "Watchers", kind: "gauge", read: () => 3 },
    ];
    const { get } = await openTestAdmin(statusAccess(), { counts });
    await get("/metrics");
    const response = await get("/metrics", { authorization });
    expect(response.headers.get("content-type")).toContain("text/plain");
    const text = await response.text();
    const lines = text.split("\n").filter((line) => line.startsWith("headwater_"));
    const labels = /project="horizon",authority="[0-9a-f]{16}"/.exec(text)?.[0] ?? "";
    expect(lines.sort()).toEqual(
      [
        `headwater_info{node="n-1",site="acme",software="headwater 0.0.0-test"} 1`,
        "headwater_started_timestamp_seconds 1749999999",
        `headwater_project_freshness{project="horizon",freshness="STALE"} 1`,
        `headwater_project_flags{project="horizon"} 2`,
        `headwater_ledger_term{${labels}} 1`,
        `headwater_ledger_seq{${labels}} 42`,
        `headwater_ledger_beat_timestamp_seconds{${labels}} 1750000000`,
        `headwater_ledger_misunderstood{${labels}} 1`,
        "headwater_children 1",
        "headwater_children_behind 0",
        `headwater_upstreams{state="CONNECTED"} 1`,
        `headwater_upstreams{state="CONNECTING"} 0`,
        `headwater_upstreams{state="WAITING"} 2`,
        "headwater_fanout_peers 1",
        `headwater_census_enrolled{project="horizon"} 1`,
        `headwater_census_questions{project="horizon",state="OPEN"} 2`,
        `headwater_census_questions{project="horizon",state="TO_COME"} 1`,
        `headwater_census_answers{project="horizon",answer="UNUSED"} 1`,
        `headwater_census_answers{project="horizon",answer="USED"} 1`,
        `headwater_census_left_out{project="horizon"} 1`,
        "headwater_problems 1",
        "headwater_admin_calls_refused_total 1",
        "headwater_reports_total 7",
        "headwater_watchers 3",
      ].sort(),
    );
    expect(text).not.toContain("4711");
    // Asked again it says the same: nothing is counted twice.
    const again = await (await get("/metrics", { authorization })).text();
    expect(
      again
        .split("\n")
        .filter((line) => line.startsWith("headwater_"))
        .sort(),
    ).toEqual(lines);
  });
});

test("other paths go to the fallback, without a token", async () => {
  const { get } = await openTestAdmin(new FakeAccess(), {
    fallback: (_, response) => {
      response.writeHead(200);
      response.end("the dashboard");
    },
  });
  expect(await (await get("/")).text()).toBe("the dashboard");
  expect((await (await openTestAdmin()).get("/")).status).toBe(404);
});
