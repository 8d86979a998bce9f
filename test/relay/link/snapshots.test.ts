import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { TrustSchema } from "../../../gen/headwater/v1/ledger_pb.ts";
import { snapshotKeptMs } from "../../../relay/cadence.ts";
import type { Ledger } from "../../../relay/ledger/ledger.ts";
import {
  childrenCountMax,
  entryBytesMax,
  historyLengthMax,
  linkBytesInFlightMin,
  linksBytesInFlightMax,
  snapshotsLiveMax,
} from "../../../relay/limits.ts";
import { LedgerFrames } from "../../../relay/link/ledger-frames.ts";
import { extendTrust } from "../../../relay/trust/trusted.ts";
import { Authority, contentOf, valueOf } from "../authority.ts";
import { frameOf, kindsOf, Mirror } from "./mirror.ts";
import { Parent } from "./parent.ts";

const authority = new Authority();
const other = new Authority({ project: "oslo" });

test("a snapshot on its way stays that snapshot; what came meanwhile follows as a delta (I5)", () => {
  const parent = new Parent(largeLedger());
  const child = new Mirror(authority);
  const frames = parent.open(1, child);
  expect(kindsOf(frames)).not.toContain("snapshotEnd");
  const before = parent.ledger.position!;
  parent.commit(1);
  let waiting = frames;
  while (waiting.length > 0) {
    waiting = parent.flush(1, waiting);
    if (kindsOf(waiting).includes("snapshotEnd")) {
      parent.commit(2);
      waiting.push(...(parent.pump().get(1) ?? []));
    }
    frames.push(...waiting);
  }
  const kinds = kindsOf(frames);
  const delta = frameOf(frames[kinds.indexOf("snapshotEnd") + 1]!);
  expect(delta).toMatchObject({ case: "delta", value: { previous: { seq: before.seq } } });
  expect(child.hearAll(frames).filter((kind) => kind === "change").length).toBeGreaterThan(1);
  expect(contentOf(child.ledger)).toEqual(contentOf(parent.ledger));
});

test("a snapshot is built once and shared, though the ledger goes on meanwhile (I14)", () => {
  const parent = new Parent(largeLedger());
  const first = open(parent, 1);
  parent.change();
  const second = open(parent, 2);
  const [a, b] = [first, second].map((frames) => frames.find((one) => one.length > entryBytesMax));
  expect(a).toBe(b);
  const child = new Mirror(authority);
  child.hearAll(parent.flushAll(3, parent.open(3, child, "node-3")));
  expect(contentOf(child.ledger)).toEqual(contentOf(parent.ledger));
});

test("of snapshots that the history has left behind few are kept; who was on one begins again", () => {
  const parent = new Parent(largeLedger());
  const slow = new Mirror(authority);
  const frames = parent.open(1, slow, "slow");
  for (let live = 2; live <= snapshotsLiveMax; live++) leaveBehind(parent, live);
  const more = parent.flush(1, frames);
  expect(kindsOf(more)[0]).toBe("snapshotChunk");
  leaveBehind(parent, snapshotsLiveMax + 1);
  const rest = parent.flush(1, more);
  expect(kindsOf(rest)[0]).toBe("snapshotBegin");
  slow.hearAll([...frames, ...more, ...parent.flushAll(1, rest)]);
  expect(contentOf(slow.ledger)).toEqual(contentOf(parent.ledger));
});

test("who begins again on a snapshot first gets the grants that came since", () => {
  const parent = new Parent(largeLedger());
  const slow = new Mirror(authority);
  const frames = parent.open(1, slow, "slow");
  const value = { authority: new Uint8Array(32).fill(7), pinBasisPointsMax: 100 };
  const { project, id } = authority;
  const trust = create(TrustSchema, { grants: [authority.grant({ case: "overlay", value })] });
  parent.ledger.trusted = valueOf(
    extendTrust({ project, authority: id }, authority.trusted, trust),
  );
  for (let live = 2; live <= snapshotsLiveMax + 1; live++) leaveBehind(parent, live);
  const heard = slow.hearAll([...frames, ...parent.flushAll(1, parent.flush(1, frames))]);
  expect(heard).not.toContain("resync");
  expect(slow.ledger.position).toEqual(parent.ledger.position);
});

test("a snapshot is forgotten a while after the last child has wanted it", () => {
  const frames = new LedgerFrames(largeLedger());
  const { position } = frames.snapshot()!;
  frames.idle(1_000);
  frames.snapshot();
  frames.idle(1_000 + snapshotKeptMs);
  expect(frames.snapshotAt(position)).toBeDefined();
  frames.idle(1_000 + 2 * snapshotKeptMs);
  expect(frames.snapshotAt(position)).toBeUndefined();
});

test("changes of other ledgers go between the parts of a snapshot (I10)", () => {
  const parent = new Parent(largeLedger(), other.ledger());
  const child = new Mirror(authority, other);
  const oslo = [...child.ledgers.values()][1]!;
  child.hearAll(parent.flushAll(1, parent.open(1, child)));
  for (let n = 0; n <= historyLengthMax; n++) parent.change();
  const frames = parent.open(2, child);
  expect(kindsOf(frames)).toContain("snapshotChunk");
  other.commit(parent.second!, { "flag/urgent": Buffer.from("1") });
  const next = parent.flush(2, frames);
  expect(kindsOf(next)[0]).toBe("delta");
  expect(kindsOf(next)).toContain("snapshotChunk");
  child.hearAll([...frames, ...next]);
  expect(contentOf(oslo)).toEqual(contentOf(parent.second!));
  expect(frameOf(next[0]!)).toMatchObject({ value: { ledger: { project: "oslo" } } });
});

test("the more children there are, the less of a snapshot is on its way to each (I9)", () => {
  const parent = new Parent(largeLedger());
  const open = (id: number): number =>
    parent
      .open(id, new Mirror(authority), `node-${id}`)
      .reduce((sum, frame) => sum + frame.length, 0);
  expect(open(1)).toBeGreaterThan(linksBytesInFlightMax / 200);
  for (let id = 2; id < 300; id++) open(id);
  const share = linksBytesInFlightMax / 300;
  expect(open(300)).toBeLessThan(share + 80 * 1024);
  expect(childrenCountMax * linkBytesInFlightMin).toBeLessThan(1024 ** 3);
});

/** So many changes that no snapshot of before leads to now, and a child that wants the newest. */
function leaveBehind(parent: Parent, id: number): void {
  for (let n = 0; n <= historyLengthMax; n++) parent.change();
  open(parent, id);
}

function open(parent: Parent, id: number): Uint8Array[] {
  return parent.open(id, new Mirror(authority), `node-${id}`);
}

function largeLedger(): Ledger {
  const entries = Array.from({ length: 120 }, (_, n) => [
    `rule/cap/${n}`,
    Buffer.alloc(entryBytesMax, n),
  ]);
  return authority.ledger(Object.fromEntries(entries));
}
