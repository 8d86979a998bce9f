import { create, toBinary } from "@bufbuild/protobuf";
import { FlagSchema, ReleaseSchema } from "../../../gen/headwater/v1/flag_pb.ts";
import {
  GrantSchema,
  RootSchema,
  type Trust,
  TrustSchema,
} from "../../../gen/headwater/v1/ledger_pb.ts";
import { CommitRequestSchema } from "../../../gen/headwater/v1/ledgers_pb.ts";
import type { JoinToken } from "../../../gen/headwater/v1/mesh_pb.ts";
import { payloadType, seal } from "../../../relay/trust/envelope.ts";
import { SigningKey } from "../../../relay/trust/key.ts";
import { authorityOf, extendTrust, trustDigest } from "../../../relay/trust/trusted.ts";
import { seedOf } from "../../../test/sim/mesh.ts";
import { ScaleMesh } from "./scale-mesh.ts";

const project = "horizon";

/** A project of middling size: its snapshot is what a site that starts empty takes. */
const flagsCount = 100;
const releasesCount = 20;

/** Sites come up over this long. */
const startMs = 10_000;

/** What one mesh of a size does. */
export interface Reach {
  readonly vendors: number;
  readonly sites: number;
  /** From the commit of a kill to its being durable at half, at 99 % and at all of the sites. */
  readonly killP50Ms: number;
  readonly killP99Ms: number;
  readonly killLastMs: number;
  /** Frames of one kill on all hops below the root, and below the vendors. */
  readonly rootBytes: number;
  readonly vendorBytes: number;
  /** From the restart of one vendor to all of its sites having all that there is again, warm and empty. */
  readonly warmMs: number;
  readonly warmBytes: number;
  readonly coldMs: number;
  readonly coldBytes: number;
  /** Time of this machine that one vendor's core took for the kill, and for each restart. */
  readonly killCpuMs: number;
  readonly warmCpuMs: number;
  readonly coldCpuMs: number;
}

export function measureReach(of: { vendors: number; sites: number }): Reach {
  const mesh = foundMesh(of);
  const kill = measureKill(mesh);
  const warm = measureRestart(mesh, "warm");
  const cold = measureRestart(mesh, "cold");
  return {
    ...of,
    ...kill,
    warmMs: warm.ms,
    warmBytes: warm.bytes,
    warmCpuMs: warm.cpuMs,
    coldMs: cold.ms,
    coldBytes: cold.bytes,
    coldCpuMs: cold.cpuMs,
  };
}

function foundMesh(of: { vendors: number; sites: number }): ScaleMesh {
  const mesh = new ScaleMesh();
  mesh.add("root");
  const trust = found(mesh);
  const vendors = Array.from({ length: of.vendors }, (_, at) => `vendor-${at}`);
  for (const name of vendors) {
    mesh.add(name);
    const token = mesh.ask<JoinToken>("root", (call) => ({
      kind: "add-child",
      call,
      name,
      expiresMs: 0,
      projects: [],
      addresses: ["root"],
      certificate: new Uint8Array(0),
      id: seedOf(name).subarray(0, 16),
    }));
    mesh.ask(name, (call) => ({ kind: "join", call, token }));
  }
  mesh.run(5_000);
  const first = trust.roots[0];
  if (first === undefined) throw new Error("there is no root");
  const name = { authority: authorityOf(first), project };
  const trusted = extendTrust(name, undefined, trust);
  if (!trusted.ok) throw new Error(trusted.refusal.message);
  const ledger = { $typeName: "headwater.v1.LedgerName", ...name } as const;
  mesh.ledger = { name: ledger, trustDigest: trustDigest(trusted.value) };
  mesh.addSites(of.vendors, of.sites);
  for (const [at, site] of mesh.sites.entries())
    mesh.later(mesh.random.below(startMs), () => mesh.dial(site, at));
  mesh.run(startMs + 5_000);
  return mesh;
}

function found(mesh: ScaleMesh): Trust {
  const seeds = { ledgerSeed: seedOf("scale ledger"), beatSeed: seedOf("scale beat") };
  const keys = mesh.ask<{ ledgerKey: Uint8Array; beatKey: Uint8Array }>("root", (call) => ({
    kind: "prepare-ledger",
    call,
    project,
    ...seeds,
  }));
  const key = new SigningKey(seedOf("scale root"));
  const root = create(RootSchema, { project, version: 1, threshold: 1, keys: [key.publicKey] });
  const envelope = seal({
    type: payloadType.root,
    payload: toBinary(RootSchema, root),
    keys: [key],
  });
  const authority = authorityOf(envelope);
  const powers = [
    { case: "ledgerKey", value: { term: 1, key: keys.ledgerKey } },
    { case: "beatKey", value: { key: keys.beatKey } },
  ] as const;
  const grants = powers.map((power) => {
    const grant = create(GrantSchema, { authority, rootVersion: 1, power });
    return seal({ type: payloadType.grant, payload: toBinary(GrantSchema, grant), keys: [key] });
  });
  const trust = create(TrustSchema, { roots: [envelope], grants });
  mesh.ask("root", (call) => ({ kind: "create-ledger", call, project, trust }));
  commit(mesh, [
    ...Array.from({ length: flagsCount }, (_, at) => flagEntry(`flag-${at}`, false)),
    ...Array.from({ length: releasesCount }, (_, at) => {
      const name = `1.${at}.0`;
      return {
        key: `release/${name}`,
        value: toBinary(ReleaseSchema, create(ReleaseSchema, { name })),
      };
    }),
  ]);
  return trust;
}

function flagEntry(name: string, isKilled: boolean): { key: string; value: Uint8Array } {
  const flag = create(FlagSchema, { name, basisPoints: 2_500, hash: 2, note: "see the issue" });
  if (isKilled) flag.kill = { $typeName: "headwater.v1.Kill", versions: "*" };
  return { key: `flag/${name}`, value: toBinary(FlagSchema, flag) };
}

function commit(mesh: ScaleMesh, entries: { key: string; value: Uint8Array }[]): void {
  const request = create(CommitRequestSchema, { ledger: { project }, entries });
  mesh.ask("root", (call) => ({ kind: "commit", call, request }));
}

function measureKill(
  mesh: ScaleMesh,
): Pick<
  Reach,
  "killP50Ms" | "killP99Ms" | "killLastMs" | "rootBytes" | "vendorBytes" | "killCpuMs"
> {
  const startedMs = mesh.nowMs;
  const before = { down: mesh.traffic.down.bytes, site: mesh.traffic.site.bytes };
  const vendor = mesh.get("vendor-0");
  const cpuMs = vendor.cpuMs;
  commit(mesh, [flagEntry("flag-7", true)]);
  const isThere = (): boolean => mesh.sites.every(({ arrivedAtMs }) => arrivedAtMs >= startedMs);
  for (let waits = 0; !isThere(); waits++) {
    if (waits > 600) throw new Error("the kill does not reach all sites");
    mesh.run(100);
  }
  const tookMs = mesh.sites
    .map(({ arrivedAtMs }) => arrivedAtMs - startedMs)
    .toSorted((a, b) => a - b);
  const at = (share: number): number => tookMs[Math.ceil(share * tookMs.length) - 1] ?? Number.NaN;
  return {
    killP50Ms: at(0.5),
    killP99Ms: at(0.99),
    killLastMs: at(1),
    rootBytes: mesh.traffic.down.bytes - before.down,
    vendorBytes: mesh.traffic.site.bytes - before.site,
    killCpuMs: vendor.cpuMs - cpuMs,
  };
}

/** One vendor dies and comes back a second later; its sites have their disks, or have nothing. */
function measureRestart(
  mesh: ScaleMesh,
  how: "warm" | "cold",
): { ms: number; bytes: number; cpuMs: number } {
  const vendor = mesh.get("vendor-0");
  const own = mesh.sites.filter((site) => site.vendor === 0);
  const before = mesh.traffic.site.bytes;
  const cpuMs = vendor.cpuMs;
  const startedMs = mesh.nowMs;
  for (const site of own) {
    site.currentAtMs = Number.NaN;
    if (how === "cold") site.position = undefined;
  }
  mesh.restart("vendor-0", 1_000);
  const isCurrent = (): boolean => own.every(({ currentAtMs }) => currentAtMs >= startedMs);
  for (let waits = 0; !isCurrent(); waits++) {
    if (waits > 1_200) throw new Error("not all sites are current again");
    mesh.run(100);
  }
  const lastMs = Math.max(...own.map(({ currentAtMs }) => currentAtMs));
  return {
    ms: lastMs - startedMs,
    bytes: mesh.traffic.site.bytes - before,
    cpuMs: vendor.cpuMs - cpuMs,
  };
}
