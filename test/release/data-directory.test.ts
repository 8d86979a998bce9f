import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { create } from "@bufbuild/protobuf";
import { expect, onTestFinished, test } from "vitest";
import { CommitRequestSchema } from "../../gen/headwater/v1/ledgers_pb.ts";
import { Driver } from "../../nodes/driver.ts";
import { openStore } from "../../nodes/store/store.ts";
import { LogLines } from "../nodes/http/log-lines.ts";
import { temporaryDirectory } from "../nodes/store/temporary-directory.ts";
import { flagEntry } from "../relay/layers/entries.ts";
import { SteppedNode } from "../relay/stepped-node.ts";

const kept = join(import.meta.dirname, "data-directory");
const { wallMs, siteSecret } = JSON.parse(readFileSync(`${kept}.json`, "utf8")) as {
  wallMs: number;
  siteSecret: string;
};

/** The node that has left the data directory, at the time when it did. */
function openKept() {
  const directory = temporaryDirectory();
  const database = brotliDecompressSync(readFileSync(`${kept}.db.br`));
  writeFileSync(join(directory, "headwater.db"), database, { mode: 0o600 });
  const store = openStore({ directory });
  onTestFinished(() => store[Symbol.dispose]());
  const { settings } = new SteppedNode({
    site: "acme",
    name: "acme",
    siteSecret: new Uint8Array(Buffer.from(siteSecret, "base64url")),
    disclosure: "EXACT",
    windowMs: 2_000,
    healthWindowMs: 2_000,
    censusWindowMsMin: 8_000,
  });
  const log = new LogLines();
  const driver = new Driver({
    settings,
    store,
    log,
    clock: { now: () => ({ wallMs, monoMs: 0 }) },
  });
  onTestFinished(() => driver.stop());
  return { driver, store, log };
}

test("a data directory that was kept has all that its node had", () => {
  const { driver, store, log } = openKept();
  const { reads } = driver;
  const logged = (["audit", "decision", "sent", "sample"] as const).map(
    (bucket) => store.list({ bucket, prefix: "", limit: 1_000 }).length,
  );
  expect(logged).toEqual([18, 2, 31, 28]);
  driver.tell({ kind: "tick" });
  expect(reads.damaged()).toEqual([]);
  const layers = reads.status(driver.now()).projects.flatMap((one) => one.layers);
  expect(layers.map(({ position, freshness }) => [position?.seq, freshness])).toEqual([
    [5, "FRESH"],
    [2, "FRESH"],
    [2, "FRESH"],
  ]);
  expect(layers.map(({ writable }) => writable)).toEqual([true, false, true]);
  expect(flagsOf(driver, "horizon", "2.3.0")).toEqual({
    "fast-path": 10_000,
    "new-scheduler": 1_000,
  });
  expect(flagsOf(driver, "acme-horizon", "1.0.0")).toEqual({ gone: 0, patched: 4_000 });
  expect(reads.status(driver.now()).upstreams).toMatchObject([{ site: "upstream" }]);
  expect(reads.children()).toMatchObject([{ name: "plant", revoked: false }]);
  expect(reads.tokens()).toMatchObject([{ name: "ci", scopes: ["read"] }]);
  expect(reads.rollouts("acme-horizon")).toMatchObject([{ flag: "patched", state: "RUNNING" }]);
  expect(reads.censuses("acme-horizon", wallMs)).toMatchObject({
    value: {
      enrolled: true,
      withoutApps: true,
      censuses: [{ state: "OPEN", results: [{ answer: "UNUSED" }, { answer: "UNUSED" }] }],
    },
  });
  expect(reads.fleet("acme-horizon", wallMs)).toMatchObject({
    value: { weights: { releases: [{ name: "1.0.0", basisPoints: 10_000 }, {}] } },
  });
  expect(log.lines.filter(({ level }) => level !== "info")).toEqual([]);
});

test("its node goes on with it", async () => {
  const { driver } = openKept();
  const rollout = { project: "acme-horizon", flag: "patched" };
  await driver.ask((call) => ({ kind: "change-rollout", call, ...rollout, action: "ABORT" }));
  expect(driver.reads.rollouts("acme-horizon")).toMatchObject([{ state: "ABORTED" }]);
  const key = "flag/added";
  const value = flagEntry("added", { basisPoints: 10_000 })[key]!;
  const ledger = { project: "acme-horizon" };
  const request = create(CommitRequestSchema, { ledger, entries: [{ key, value }] });
  const committed = await driver.ask((call) => ({ kind: "commit", call, request }));
  expect(committed).toMatchObject({ position: { term: 1, seq: 6 } });
  const flags = flagsOf(driver, "acme-horizon", "1.0.0");
  expect(flags).toEqual({ added: 10_000, gone: 0, patched: 4_000 });
  await driver.ask((call) => ({ kind: "revoke-child", call, name: "plant" }));
  expect(driver.reads.children()).toMatchObject([{ name: "plant", revoked: true }]);
});

function flagsOf(driver: Driver, project: string, release: string): Record<string, number> {
  const flags = driver.reads.table(project, release, wallMs)?.flags.values() ?? [];
  return Object.fromEntries([...flags].map(({ name, basisPoints }) => [name, basisPoints]));
}
