import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type JoinToken,
  JoinTokenSchema,
  type ProjectPin,
  ProjectPinSchema,
  ReplicateRequestSchema,
  type ReplicateResponse,
  ReplicateResponseSchema,
} from "../../gen/headwater/v1/mesh_pb.ts";
import type { Effect } from "../../relay/effect.ts";
import type { Peer } from "../../relay/event.ts";
import type { Ledger } from "../../relay/ledger/ledger.ts";
import { LedgerFrames } from "../../relay/link/ledger-frames.ts";
import type { UpstreamSettings } from "../../relay/link/uplink.ts";
import { Authority } from "./authority.ts";
import { SteppedNode } from "./stepped-node.ts";

/** Who writes the project that `childOf` has pinned. */
export const authority: Authority = new Authority();

export const pin: ProjectPin = create(ProjectPinSchema, {
  project: "horizon",
  authority: authority.id,
});

export const upstreamSettings: UpstreamSettings = {
  id: "openstack",
  addresses: ["parent:1"],
  certificate: undefined,
  credential: undefined,
  projects: undefined,
};

/** A node that has pinned the project and dials its upstream. */
export function childOf(): SteppedNode {
  const child = new SteppedNode({ upstreams: [upstreamSettings], pins: [pin] });
  child.wait(0);
  return child;
}

export function tokenOf(): JoinToken {
  const credential = { payloadType: "", payload: new Uint8Array(0) };
  return create(JoinTokenSchema, {
    site: "openstack",
    addresses: ["parent:1"],
    pins: [pin],
    credential,
  });
}

export function hear(child: SteppedNode, bytes: Uint8Array): Effect[] {
  const frame = fromBinary(ReplicateResponseSchema, bytes);
  return child.tell({ kind: "upstream-frame", upstream: "openstack", frame });
}

/** Everything of these ledgers from upstream. */
export function bring(child: SteppedNode, ...ledgers: Ledger[]): Effect[] {
  return ledgers.flatMap((ledger) => framesFor(ledger).flatMap((bytes) => hear(child, bytes)));
}

export function framesFor(ledger: Ledger): Uint8Array[] {
  const frames = new LedgerFrames(ledger);
  return [frames.trust()!, ...frames.snapshot()!.frames];
}

type Kind = NonNullable<ReplicateResponse["frame"]["case"]>;

/** A frame about the project's own ledger. */
export function encoded(kind: Kind, value: object = {}): Uint8Array {
  const ledger = { authority: authority.id, project: "horizon" };
  const about = ["offer", "trustUpdate"].includes(kind) ? { ledger } : {};
  const init = { frame: { case: kind, value: { ...about, ...value } } };
  return toBinary(ReplicateResponseSchema, create(ReplicateResponseSchema, init as never));
}

export function openChild(
  parent: SteppedNode,
  child?: SteppedNode,
): { id: number; frames: Uint8Array[] } {
  child?.tell({ kind: "upstream-closed", upstream: "openstack", why: "reset" });
  const [dial] = child?.wait(60_000).filter(({ kind }) => kind === "dial") ?? [];
  const ledger = { authority: authority.id, project: "horizon" };
  const request =
    dial?.kind === "dial"
      ? dial.dial.request
      : create(ReplicateRequestSchema, { protocol: 1, node: "c1", holdings: [{ ledger }] });
  const peer: Peer = { by: "certificate", name: "below" };
  const effects = parent.tell({ kind: "child-opened", link: 7, peer, request });
  return { id: 7, frames: framesTo(effects, 7) };
}

export function framesTo(effects: readonly Effect[], id: number): Uint8Array[] {
  return effects.flatMap((one) => (one.kind === "send" && one.link === id ? one.frame : []));
}

export function sendsTo(
  effects: readonly Effect[],
  { id }: { id: number },
): (string | undefined)[] {
  return framesTo(effects, id).map(
    (bytes) => fromBinary(ReplicateResponseSchema, bytes).frame.case,
  );
}

export function kindsOf(effects: readonly Effect[]): string[] {
  return effects.map(({ kind }) => kind);
}
