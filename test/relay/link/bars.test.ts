import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import {
  ConfirmRequestSchema,
  type ReplicateResponse,
  ReplicateResponseSchema,
} from "../../../gen/headwater/v1/mesh_pb.ts";
import {
  barMsMax,
  barMsMin,
  heartbeatIntervalMs,
  heartbeatsMissedMax,
  redialIntervalMs,
  snapshotKeptMs,
  stalledAfterMs,
} from "../../../relay/cadence.ts";
import type { Effect } from "../../../relay/effect.ts";
import type { Ledger } from "../../../relay/ledger/ledger.ts";
import { hopsCountMax, idleFramesBurstMax, nodeIdBytesMax } from "../../../relay/limits.ts";
import { Uplinks } from "../../../relay/link/uplinks.ts";
import { Random } from "../../../relay/random.ts";
import { Authority, contentOf, epochMs } from "../authority.ts";
import { frameOf, Mirror } from "./mirror.ts";
import { Parent, sendsOf } from "./parent.ts";

const authority = new Authority();
const other = new Authority({ project: "oslo" });

type Frame = ReplicateResponse["frame"];

/** A child with two ledgers, its parent, and a way between them that a test can alter. */
class Pair {
  readonly parent: Parent;
  readonly child = new Mirror(authority, other);
  readonly uplinks: Uplinks;
  readonly log: string[] = [];
  nowMs = 0;
  alter: (frame: Frame) => Frame = (frame) => frame;
  /** What the child asked to be served anew, by project. */
  readonly asked: string[] = [];
  dialsCount = 0;
  #link = 0;

  constructor(protocol?: number) {
    this.parent = new Parent(authority.ledger(), other.ledger());
    this.uplinks = new Uplinks({
      self: { site: "site", node: "node", nodeId: new TextEncoder().encode("child...") },
      ledgers: () => [...this.child.ledgers.values()],
      isWritten: () => false,
      voucherOf: () => "",
      random: new Random(7),
    });
    const absent = { certificate: undefined, credential: undefined, projects: undefined };
    this.uplinks.add({ id: "up", addresses: ["a:1"], ...absent }, 0);
    if (protocol !== undefined) this.speak(protocol);
    this.wait(0);
  }

  get ours(): Ledger {
    return [...this.child.ledgers.values()][0]!;
  }

  get theirs(): Ledger {
    return [...this.child.ledgers.values()][1]!;
  }

  get problem(): string {
    return this.uplinks.all[0]!.problem;
  }

  /** The parent answers in this protocol. */
  speak(protocol: number): void {
    const { alter } = this;
    this.alter = (frame) => {
      if (frame.case === "welcome") frame.value.protocol = protocol;
      return alter(frame);
    };
  }

  wait(forMs: number): void {
    const untilMs = this.nowMs + forMs;
    while (this.uplinks.dueAtMonoMs! <= untilMs) {
      this.nowMs = Math.max(this.nowMs, this.uplinks.dueAtMonoMs!);
      this.#perform(this.uplinks.tick(this.#at()));
    }
    this.nowMs = untilMs;
  }

  /** Whatever the parent has to send by now. */
  pump(): void {
    this.#deliver(this.parent.pump().get(this.#link) ?? []);
  }

  hear(frame: Frame): Effect[] {
    const { arrival, effects } = this.uplinks.hear("up", frame, this.#at());
    if (arrival.kind === "change") arrival.ledger.accept(arrival.change);
    if (arrival.kind === "trust") arrival.ledger.trusted = arrival.trusted;
    if (arrival.kind === "change" || arrival.kind === "trust")
      this.uplinks.applied("up", [arrival.ledger]);
    if (arrival.kind === "resync")
      effects.push(...this.uplinks.bar("up", { ...arrival, isWrong: false }, this.nowMs));
    this.#perform(effects);
    return effects;
  }

  #at() {
    return { monoMs: this.nowMs, wallMs: epochMs };
  }

  #deliver(frames: readonly Uint8Array[]): void {
    for (const bytes of this.parent.flushAll(this.#link, frames))
      this.hear(this.alter(frameOf(bytes)));
  }

  #perform(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === "log") this.log.push(`${effect.entry.event}: ${effect.entry.message}`);
      if (effect.kind === "dial") {
        this.dialsCount++;
        this.#link++;
        const { request } = effect.dial;
        const of = { id: this.#link, site: "site", request, monoMs: 0 };
        this.#deliver(sendsOf(this.parent.links.open(of)).get(this.#link) ?? []);
      }
      if (effect.kind === "confirm") {
        this.asked.push(...effect.request.again.map(({ ledger }) => ledger?.project ?? ""));
        const request = create(ConfirmRequestSchema, effect.request);
        const outcome = this.parent.links.confirmed("site", request, 0);
        if (outcome.ok) this.#deliver(sendsOf(outcome.value).get(this.#link) ?? []);
      }
    }
  }
}

/** Alters the entries of every change of the first project, also where all of it is sent. */
function forging(frame: Frame): Frame {
  return forgingDeltas(frame.case === "snapshotChunk" ? forged(frame) : frame);
}

/** Alters its deltas alone. */
function forgingDeltas(frame: Frame): Frame {
  return frame.case === "delta" ? forged(frame) : frame;
}

function forged(frame: Extract<Frame, { case: "delta" | "snapshotChunk" }>): Frame {
  if (frame.value.ledger?.project !== "horizon") return frame;
  const copy = fromBinary(
    ReplicateResponseSchema,
    toBinary(ReplicateResponseSchema, create(ReplicateResponseSchema, { frame })),
  ).frame;
  if (copy.case === "delta" || copy.case === "snapshotChunk")
    copy.value.entries[0]!.value = Buffer.from("forged");
  return copy;
}

describe("a ledger of which something does not check", () => {
  test("is heard of no more, is asked for anew, and no other waits for it", () => {
    const pair = new Pair();
    pair.alter = forging;
    pair.parent.change();
    pair.pump();
    expect(pair.log).toEqual([
      expect.stringMatching(/^ledger-barred: up sent .* of horizon: digest/),
    ]);
    expect(pair.problem).toMatch(/^horizon: digest/);
    other.commit(pair.parent.second!, { "flag/b": Buffer.from("1") });
    pair.pump();
    expect(contentOf(pair.theirs)).toEqual(contentOf(pair.parent.second!));
    expect(pair.ours.position?.seq).toBe(1);

    pair.alter = (frame) => frame;
    pair.wait(barMsMin);
    expect(pair.asked).toEqual(["horizon"]);
    expect(contentOf(pair.ours)).toEqual(contentOf(pair.parent.ledger));
    expect(pair.problem).toBe("");
    expect(pair.dialsCount).toBe(1);
  });

  test("is asked for whole where it was a delta, which the parent would send once more", () => {
    const pair = new Pair();
    pair.alter = forgingDeltas;
    pair.parent.change();
    pair.pump();
    expect(pair.ours.position?.seq).toBe(1);
    // A snapshot that is kept from before would be sent with the same delta.
    for (const ms of [0, snapshotKeptMs]) pair.parent.links.tick(ms);
    pair.wait(barMsMin);
    expect(contentOf(pair.ours)).toEqual(contentOf(pair.parent.ledger));
    expect(pair.problem).toBe("");
    expect(pair.asked).toEqual(["horizon"]);
  });

  test("is asked for more and more rarely, and tells of it as often", () => {
    const pair = new Pair();
    pair.alter = forging;
    pair.parent.change();
    pair.pump();
    for (let n = 0; n < 400; n++) {
      if (n % 10 === 0)
        pair.hear({ case: "heartbeat", value: { $typeName: "headwater.v1.Heartbeat", beats: [] } });
      pair.wait(1_000);
    }
    expect(pair.asked.length).toBeGreaterThan(4);
    expect(pair.asked.length).toBeLessThan(30);
    expect(pair.log.length).toBe(pair.asked.length + 1);
    expect(barMsMax).toBeGreaterThan(60_000);
    expect(pair.ours.position?.seq).toBe(1);
  });

  test("of a parent that can not be asked anew is asked for with the next link", () => {
    const pair = new Pair(1);
    const heal = pair.alter;
    pair.alter = (frame) => forging(heal(frame));
    pair.parent.change();
    pair.pump();
    pair.alter = heal;
    pair.wait(redialIntervalMs - 1);
    expect(pair.dialsCount).toBe(1);
    pair.wait(2_000);
    expect(pair.asked).toEqual([]);
    expect(pair.dialsCount).toBe(2);
    expect(contentOf(pair.ours)).toEqual(contentOf(pair.parent.ledger));
  });

  test("that is asked for in vain is asked for again", () => {
    const pair = new Pair();
    pair.alter = forging;
    pair.parent.change();
    pair.pump();
    pair.alter = () => ({ case: undefined });
    pair.wait(barMsMin);
    expect(pair.asked).toHaveLength(1);
    pair.alter = (frame) => frame;
    for (let n = 0; n < heartbeatsMissedMax; n++) {
      pair.hear({ case: undefined });
      pair.wait(heartbeatIntervalMs);
    }
    expect(pair.asked).toHaveLength(2);
    expect(contentOf(pair.ours)).toEqual(contentOf(pair.parent.ledger));
  });
});

test("a snapshot that stops midway is given up after a while, and asked for anew", () => {
  const pair = new Pair();
  const snapshot = authority.ledger({ "flag/a": Buffer.from("1") });
  const begin = {
    ledger: { authority: authority.id, project: "horizon" },
    head: snapshot.head!.envelope,
    entriesCount: snapshot.entries.size,
    entriesBytes: BigInt(snapshot.bytes),
    chunksCount: 1,
  };
  const frame = create(ReplicateResponseSchema, { frame: { case: "snapshotBegin", value: begin } });
  pair.hear(frame.frame);
  for (let ms = 0; ms < stalledAfterMs; ms += heartbeatIntervalMs) {
    expect(pair.asked).toEqual([]);
    pair.wait(heartbeatIntervalMs);
    pair.hear({ case: undefined });
  }
  pair.wait(barMsMin);
  expect(pair.log).toEqual([expect.stringContaining("stopped midway")]);
  expect(pair.asked).toEqual(["horizon"]);
});

test.each([
  ["too long", Array.from({ length: hopsCountMax + 1 }, () => new Uint8Array(8))],
  ["of ids too long", [new Uint8Array(nodeIdBytesMax + 1)]],
])("a way that is %s bars its ledger", (_, hops) => {
  const pair = new Pair();
  const ledger = { authority: authority.id, project: "horizon" };
  const offer = { ledger, outcome: "RESUME", hops };
  pair.hear(create(ReplicateResponseSchema, { frame: { case: "offer", value: offer } }).frame);
  expect(pair.log).toEqual([expect.stringContaining("hops: ")]);
});

test("a parent that goes on with frames of no use is left for a while", () => {
  const pair = new Pair();
  const frames = Array.from({ length: idleFramesBurstMax + 1 }, () =>
    pair.hear({ case: "heartbeat", value: { $typeName: "headwater.v1.Heartbeat", beats: [] } }),
  );
  expect(frames.slice(0, -1).flat()).toEqual([]);
  expect(frames.at(-1)).toContainEqual({ kind: "hang-up", upstream: "up" });
  expect(pair.problem).toContain("floods");
});

test("a parent that answers in a protocol that is not spoken here is left", () => {
  const pair = new Pair(9);
  expect(pair.log).toEqual([expect.stringContaining("protocol 9; this node speaks 1 to 2")]);
});
