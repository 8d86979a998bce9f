import { create, toBinary } from "@bufbuild/protobuf";
import { FlagSchema, ReleaseSchema } from "../../gen/headwater/v1/flag_pb.ts";
import {
  EnvelopeSchema,
  GrantSchema,
  type Position,
  RootSchema,
  TrustSchema,
} from "../../gen/headwater/v1/ledger_pb.ts";
import { CommitRequestSchema } from "../../gen/headwater/v1/ledgers_pb.ts";
import type { JoinToken } from "../../gen/headwater/v1/mesh_pb.ts";
import { entryKey } from "../../relay/ledger/entry.ts";
import type { Outcome } from "../../relay/refusal.ts";
import { payloadType, seal } from "../../relay/trust/envelope.ts";
import { SigningKey, sha256 } from "../../relay/trust/key.ts";
import { authorityOf } from "../../relay/trust/trusted.ts";
import type { World } from "./world.ts";

/** 32 bytes that follow from a text. */
function seedOf(text: string): Uint8Array {
  return sha256(Buffer.from(text));
}

export function valueOf<T>(outcome: Outcome<T> | undefined): T {
  if (outcome === undefined) throw new Error("no answer");
  if (!outcome.ok) throw new Error(`${outcome.refusal.kind}: ${outcome.refusal.message}`);
  return outcome.value;
}

/** What `headwater init` does, with keys that follow from the project's name. */
export function initProject(world: World, node: string, project: string): Uint8Array {
  const rootKey = new SigningKey(seedOf(`${project} root`));
  const keys = valueOf(
    world.ask<{ ledgerKey: Uint8Array; beatKey: Uint8Array }>(node, (call) => ({
      kind: "prepare-ledger",
      call,
      project,
      ledgerSeed: seedOf(`${project} ledger`),
      beatSeed: seedOf(`${project} beat`),
    })),
  );
  const root = create(RootSchema, { project, version: 1, threshold: 1, keys: [rootKey.publicKey] });
  const payload = toBinary(RootSchema, root);
  const envelope = seal({ type: payloadType.root, payload, keys: [rootKey] });
  const authority = authorityOf(envelope);
  const grant = (power: Parameters<typeof create<typeof GrantSchema>>[1]) =>
    seal({
      type: payloadType.grant,
      payload: toBinary(GrantSchema, create(GrantSchema, { authority, rootVersion: 1, ...power })),
      keys: [rootKey],
    });
  const grants = [
    grant({ power: { case: "ledgerKey", value: { term: 1, key: keys.ledgerKey } } }),
    grant({ power: { case: "beatKey", value: { key: keys.beatKey } } }),
  ];
  const trust = create(TrustSchema, { roots: [envelope], grants });
  valueOf(world.ask(node, (call) => ({ kind: "create-ledger", call, project, trust })));
  return authority;
}

/** What `child add` and `join` do. */
export function joinNodes(world: World, parent: string, child: string): void {
  const token = valueOf(
    world.ask<JoinToken>(parent, (call) => ({
      kind: "add-child",
      call,
      name: world.get(child).settings.site,
      expiresMs: 0,
      projects: [],
      addresses: [parent],
      id: seedOf(`${parent} ${child}`).subarray(0, 16),
    })),
  );
  const credential = token.credential && toBinary(EnvelopeSchema, token.credential);
  world.joined.set(child, [...(world.joined.get(child) ?? []), { id: token.site, credential }]);
  valueOf(world.ask(child, (call) => ({ kind: "join", call, token })));
}

export interface FlagChange {
  readonly name: string;
  /** Undefined deletes. */
  readonly basisPoints: number | undefined;
  readonly kill?: string;
}

/** What `flag set`, `kill` and `delete` do; undefined when the node died on the way. */
export function commitFlags(
  world: World,
  node: string,
  project: string,
  changes: readonly FlagChange[],
): Outcome<{ position: Position; changed: boolean }> | undefined {
  const entries = changes.flatMap(({ name, basisPoints, kill }) => {
    if (basisPoints === undefined) return [];
    const flag = create(FlagSchema, { name, basisPoints, hash: 2 });
    if (kill !== undefined) flag.kill = { $typeName: "headwater.v1.Kill", versions: kill };
    return [{ key: entryKey("flag", name), value: toBinary(FlagSchema, flag) }];
  });
  const tombstones = changes.flatMap(({ name, basisPoints }) =>
    basisPoints === undefined ? [entryKey("flag", name)] : [],
  );
  const request = create(CommitRequestSchema, { ledger: { project }, entries, tombstones });
  return world.ask(node, (call) => ({ kind: "commit", call, request }));
}

export function publishReleases(
  world: World,
  node: string,
  project: string,
  names: readonly string[],
): void {
  const entries = names.map((name) => ({
    key: entryKey("release", name),
    value: toBinary(ReleaseSchema, create(ReleaseSchema, { name })),
  }));
  const request = create(CommitRequestSchema, { ledger: { project }, entries });
  valueOf(world.ask(node, (call) => ({ kind: "commit", call, request })));
}
