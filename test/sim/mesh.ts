import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { FlagSchema, ReleaseSchema } from "../../gen/headwater/v1/flag_pb.ts";
import {
  type Envelope,
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
export function seedOf(text: string): Uint8Array {
  return sha256(Buffer.from(text));
}

export function valueOf<T>(outcome: Outcome<T> | undefined): T {
  if (outcome === undefined) throw new Error("no answer");
  if (!outcome.ok) throw new Error(`${outcome.refusal.kind}: ${outcome.refusal.message}`);
  return outcome.value;
}

/** What a grant lets another key do. */
export type Power = NonNullable<MessageInitShape<typeof GrantSchema>["power"]>;

/** What `headwater init` does, with keys that follow from the project's name. */
export function initProject(
  world: World,
  node: string,
  project: string,
  grants: readonly { readonly power: Power; readonly expiresMs?: number }[] = [],
): Uint8Array {
  return init(world, node, { project, overlay: false, title: project, grants });
}

/** What `headwater init PROJECT --overlay` does. */
export function initOverlay(world: World, node: string, project: string): Uint8Array {
  const title = overlayTitle(node, project);
  return init(world, node, { project, overlay: true, title, grants: [] });
}

/** The authority that a node's overlay has, or will have. */
export function overlayAuthority(node: string, project: string): Uint8Array {
  return rootOf(project, overlayTitle(node, project)).authority;
}

/** The public keys with which a project is first written. */
export function founderKeys(project: string): { ledgerKey: Uint8Array; beatKey: Uint8Array } {
  return {
    ledgerKey: new SigningKey(seedOf(`${project} ledger`)).publicKey,
    beatKey: new SigningKey(seedOf(`${project} beat`)).publicKey,
  };
}

const overlayTitle = (node: string, project: string): string => `${node} over ${project}`;

export function rootOf(
  project: string,
  title: string,
): {
  key: SigningKey;
  envelope: Envelope;
  authority: Uint8Array;
} {
  const key = new SigningKey(seedOf(`${title} root`));
  const root = create(RootSchema, { project, version: 1, threshold: 1, keys: [key.publicKey] });
  const payload = toBinary(RootSchema, root);
  const envelope = seal({ type: payloadType.root, payload, keys: [key] });
  return { key, envelope, authority: authorityOf(envelope) };
}

function init(
  world: World,
  node: string,
  of: {
    project: string;
    overlay: boolean;
    title: string;
    grants: readonly { readonly power: Power; readonly expiresMs?: number }[];
  },
): Uint8Array {
  const { project, overlay, title } = of;
  const keys = valueOf(
    world.ask<{ ledgerKey: Uint8Array; beatKey: Uint8Array }>(node, (call) => ({
      kind: "prepare-ledger",
      call,
      project,
      overlay,
      ledgerSeed: seedOf(`${title} ledger`),
      beatSeed: seedOf(`${title} beat`),
    })),
  );
  const { key, envelope, authority } = rootOf(project, title);
  const grant = ({ power, expiresMs = 0 }: { power: Power; expiresMs?: number }) => {
    const end = BigInt(expiresMs);
    const message = create(GrantSchema, { authority, rootVersion: 1, power, expiresMs: end });
    return seal({ type: payloadType.grant, payload: toBinary(GrantSchema, message), keys: [key] });
  };
  const grants = [
    grant({ power: { case: "ledgerKey", value: { term: 1, key: keys.ledgerKey } } }),
    grant({ power: { case: "beatKey", value: { key: keys.beatKey } } }),
    ...of.grants.map(grant),
  ];
  const trust = create(TrustSchema, { roots: [envelope], grants });
  const created = { kind: "create-ledger", project, overlay, trust } as const;
  valueOf(world.ask(node, (call) => ({ ...created, call })));
  return authority;
}

/** What `child add` and `join` do. */
export function joinNodes(world: World, parent: string, child: string): void {
  valueOf(joinWith(world, child, tokenFor(world, parent, child)));
}

/** What `child add` does. */
export function tokenFor(world: World, parent: string, child: string): JoinToken {
  return valueOf(askToken(world, parent, child));
}

/** The same; undefined when the parent died before it answered. */
export function askToken(
  world: World,
  parent: string,
  child: string,
  expiresMs: number = 0,
): Outcome<JoinToken> | undefined {
  return world.ask<JoinToken>(parent, (call) => ({
    kind: "add-child",
    call,
    name: world.get(child).settings.site,
    expiresMs,
    projects: [],
    addresses: [parent],
    certificate: new Uint8Array(0),
    id: seedOf(`${parent} ${child} ${world.nowMs}`).subarray(0, 16),
  }));
}

export function joinWith(
  world: World,
  child: string,
  token: JoinToken,
): Outcome<unknown> | undefined {
  const credential = token.credential && toBinary(EnvelopeSchema, token.credential);
  world.joined.set(child, [...(world.joined.get(child) ?? []), { id: token.site, credential }]);
  return world.ask(child, (call) => ({ kind: "join", call, token }));
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
