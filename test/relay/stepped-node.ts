import { create } from "@bufbuild/protobuf";
import type { Position } from "../../gen/headwater/v1/ledger_pb.ts";
import { CommitRequestSchema } from "../../gen/headwater/v1/ledgers_pb.ts";
import type { JoinToken } from "../../gen/headwater/v1/mesh_pb.ts";
import type { Happening } from "../../nodes/access.ts";
import { dayMs, minuteMs } from "../../relay/cadence.ts";
import type { StoredRecord } from "../../relay/durable.ts";
import type { Effect, Write } from "../../relay/effect.ts";
import type { Event } from "../../relay/event.ts";
import { Node } from "../../relay/node.ts";
import type { Outcome } from "../../relay/refusal.ts";
import type { NodeSettings } from "../../relay/settings.ts";
import { Authority, type Entries, epochMs, seedOf } from "./authority.ts";
import { flagEntry } from "./layers/entries.ts";

/** What a write comes to: it is stored, it fails, or the process dies right after it. */
export type Disk = "good" | "full" | "crash";

/** Thrown where the process dies. */
export class Crash extends Error {}

/** A node on a disk that a test can break, held to the law of effects at every step. */
export class SteppedNode {
  readonly settings: Omit<NodeSettings, "records">;
  readonly stored: Map<string, StoredRecord> = new Map();
  node: Node;
  disk: Disk = "good";
  wallMs: number = epochMs;
  monoMs = 0;
  #callsCount = 0;

  constructor(of: Partial<NodeSettings> = {}) {
    this.settings = {
      site: "site",
      name: "n1",
      nodeId: new TextEncoder().encode("node-n1."),
      siteSecret: seedOf("site"),
      seed: 1,
      upstreams: [],
      pins: [],
      disclosure: "OFF",
      onBad: "REPORT",
      windowMs: dayMs,
      healthWindowMs: 60 * minuteMs,
      ...of,
    };
    this.node = this.#made();
  }

  restart(of: Partial<NodeSettings> = {}): void {
    Object.assign(this.settings, of);
    this.node = this.#made();
  }

  /** All effects of something that happens, but those of writing. */
  tell(happening: Happening): Effect[] {
    const at = { wallMs: this.wallMs, monoMs: this.monoMs };
    return this.#carriedOut(this.node.step({ ...happening, at } as Event));
  }

  /** @throws Crash when the process died before it answered */
  ask<T>(happening: (call: number) => Happening): Outcome<T> {
    const call = ++this.#callsCount;
    for (const effect of this.tell(happening(call)))
      if (effect.kind === "answer" && effect.call === call) return effect.outcome as Outcome<T>;
    throw new Error("there was no answer");
  }

  /** Lets time pass and the node notice it. */
  wait(forMs: number): Effect[] {
    this.wallMs += forMs;
    this.monoMs += forMs;
    return this.tell({ kind: "tick" });
  }

  commit(entries: Entries, project: string = "horizon"): Outcome<{ position: Position }> {
    const tombstones = Object.keys(entries).filter((key) => entries[key] === undefined);
    const puts = Object.entries(entries).flatMap(([key, value]) =>
      value === undefined ? [] : [{ key, value }],
    );
    const request = create(CommitRequestSchema, { ledger: { project }, entries: puts, tombstones });
    return this.ask((call) => ({ kind: "commit", call, request }));
  }

  setFlag(name: string, basisPoints: number): Outcome<{ position: Position }> {
    return this.commit(flagEntry(name, { basisPoints }));
  }

  addChild(name: string, projects: readonly string[] = []): Outcome<JoinToken> {
    const of = {
      expiresMs: 0,
      projects,
      addresses: ["parent:1"],
      certificate: new Uint8Array(0),
      id: seedOf(name).subarray(16),
    };
    return this.ask((call) => ({ kind: "add-child", call, name, ...of }));
  }

  /** Every flag of a project as an unknown build gets it. */
  flags(project: string = "horizon"): Record<string, number> | undefined {
    const table = this.node.reads.table(project, "", this.wallMs);
    return (
      table &&
      Object.fromEntries([...table.flags.values()].map((one) => [one.name, one.basisPoints]))
    );
  }

  storedKeys(bucket: string): string[] {
    return [...this.stored.values()].flatMap((one) => (one.bucket === bucket ? one.key : []));
  }

  #made(): Node {
    const records = [...this.stored.values()];
    return new Node({ ...this.settings, records }, { wallMs: this.wallMs, monoMs: this.monoMs });
  }

  #carriedOut(effects: readonly Effect[]): Effect[] {
    const last = effects.at(-1);
    if (effects.slice(0, -1).some(({ kind }) => kind === "persist"))
      throw new Error("something comes after persist");
    if (last?.kind !== "persist") return [...effects];
    const at = { wallMs: this.wallMs, monoMs: this.monoMs };
    const isStored = this.disk !== "full";
    if (isStored) this.#write(last.writes);
    if (this.disk === "crash") throw new Crash();
    const outcome: Event = isStored
      ? { kind: "persisted", at }
      : { kind: "persist-failed", why: "the disk is full", at };
    return [...effects.slice(0, -1), ...this.#carriedOut(this.node.step(outcome))];
  }

  #write(writes: readonly Write[]): void {
    for (const { bucket, key, value } of writes) {
      if (value === undefined) this.stored.delete(`${bucket} ${key}`);
      else this.stored.set(`${bucket} ${key}`, { bucket, key, value: Uint8Array.from(value) });
    }
  }
}

/** A node that writes the ledger of a project. */
export function rootNode(of: Partial<NodeSettings> = {}, project: string = "horizon"): SteppedNode {
  const root = new SteppedNode({ site: "openstack", siteSecret: seedOf("openstack"), ...of });
  const authority = new Authority({ project });
  const { ledgerKey, beatKey } = authority.writer;
  root.ask((call) => ({
    kind: "prepare-ledger",
    call,
    project,
    ledgerSeed: ledgerKey.seed,
    beatSeed: beatKey.seed,
  }));
  const { trust } = authority;
  const created = root.ask((call) => ({ kind: "create-ledger", call, project, trust }));
  if (!created.ok) throw new Error(created.refusal.message);
  return root;
}
