import { expect, it } from "vitest";
import { openFakeAdmin } from "./fake-admin.ts";

const wallMs = Date.UTC(2026, 2, 1, 12);
const own = { project: "horizon", authority: new Uint8Array(32).fill(1) };
const overlay = { project: "horizon", authority: new Uint8Array(32).fill(2) };

const status = {
  node: "node-1",
  site: "acme",
  software: "headwater 0.1.0",
  startedMs: BigInt(wallMs - 7_500_000),
  projects: [
    {
      project: "horizon",
      freshness: "STALE",
      flagsCount: 4,
      instancesCount: 340,
      layers: [
        {
          ledger: own,
          position: { term: 1, seq: 7 },
          entriesCount: 10,
          freshness: "STALE",
          beatIssuedMs: BigInt(wallMs - 360_000),
          misunderstood: ["flag/later"],
          primary: "openstack",
        },
        { ledger: overlay, entriesCount: 0, writable: true, freshness: "EMPTY" },
      ],
    },
  ],
  upstreams: [
    {
      address: "flags.example.org:7701",
      state: "CONNECTED",
      site: "openstack",
      node: "root",
      silentMs: 4_000n,
    },
    {
      address: "flags.example.net:7701",
      state: "WAITING",
      site: "vendor",
      problem: "connect ECONNREFUSED",
      retryInMs: 9_000n,
    },
  ],
  children: [
    {
      site: "berlin",
      node: "node-1",
      connected: true,
      positions: [
        { ledger: own, position: { term: 1, seq: 7 }, newest: true },
        { ledger: overlay, position: { term: 1, seq: 2 } },
      ],
    },
  ],
  fanout: { kind: "NATS", connected: true, peers: ["node-2", "node-3"] },
  disclosures: [{ upstream: "openstack", level: "ROUNDED", source: "command" }],
  problems: ["horizon is STALE: its last values are served"],
};

it("shows the node, section by section", async () => {
  const { terminal } = await openFakeAdmin({ nodes: { getStatus: () => status } });
  const { code, stdout } = await terminal.run("status");
  expect(code).toBe(0);
  await expect(`${stdout}\n`).toMatchFileSnapshot("status.txt");
});

it("marks what is well and what is not", async () => {
  const { terminal } = await openFakeAdmin({ nodes: { getStatus: () => status } });
  terminal.isColored = true;
  const { stdout } = await terminal.run("status");
  expect(stdout).toContain("<yellow:STALE>");
  expect(stdout).toContain("<green:CONNECTED>");
  expect(stdout).toContain("<yellow:WAITING>, again in 9s");
  expect(stdout).toContain("<red:  horizon is STALE: its last values are served>");
});

it("answers machines with the whole of it", async () => {
  const { terminal } = await openFakeAdmin({ nodes: { getStatus: () => status } });
  expect(await terminal.json("status")).toMatchObject({
    node: "node-1",
    startedMs: wallMs - 7_500_000,
    projects: [
      { layers: [{ ledger: { authority: `sha256:${"01".repeat(32)}` }, writable: false }, {}] },
    ],
    children: [{ positions: [{ newest: true }, { newest: false }] }],
  });
});

it("of a node that has nothing yet says so", async () => {
  const bare = { node: "n", site: "s", software: "headwater", startedMs: BigInt(wallMs) };
  const { terminal } = await openFakeAdmin({ nodes: { getStatus: () => bare } });
  const { stdout } = await terminal.run("status");
  expect(stdout).toMatch(/^n of site s, headwater, up 0s\n/);
  for (const section of ["projects", "layers", "upstreams", "children", "disclosure", "problems"])
    expect(stdout).toContain(`${section}  none`);
  expect(stdout).toContain("fan-out  this node only");
});
