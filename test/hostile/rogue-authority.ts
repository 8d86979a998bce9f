import { create, toBinary } from "@bufbuild/protobuf";
import { FlagSchema } from "../../gen/headwater/v1/flag_pb.ts";
import {
  type ProjectPin,
  ProjectPinSchema,
  type ReplicateResponse,
  ReplicateResponseSchema,
} from "../../gen/headwater/v1/mesh_pb.ts";
import { type SignedBeat, signBeat, signHead } from "../../relay/ledger/head.ts";
import type { Ledger } from "../../relay/ledger/ledger.ts";
import { snapshotOf } from "../../relay/ledger/snapshot.ts";
import { sequenceMax } from "../../relay/limits.ts";
import type { SaidTrust } from "../../relay/trust/said-trust.ts";
import { trustMessage } from "../../relay/trust/trusted.ts";
import { Authority, keyOf, valueOf } from "../relay/authority.ts";
import type { Frame } from "./cheating-relay.ts";

/** An authority whose online keys are in bad hands: everything that it signs is validly signed. */
export class RogueAuthority {
  readonly project = "nova";
  readonly #authority: Authority;
  /** Of terms 1 and 2. */
  readonly #keys = [keyOf("rogue ledger 1"), keyOf("rogue ledger 2")] as const;
  #ledger: Ledger;
  #beat: SignedBeat | undefined;
  #newest = 0;

  constructor() {
    const power = { term: 2, key: this.#keys[1].publicKey };
    this.#authority = new Authority({
      name: "rogue",
      project: this.project,
      powers: [{ case: "ledgerKey", value: power }],
    });
    this.#ledger = this.#authority.emptyLedger();
    this.sign();
  }

  get pin(): ProjectPin {
    return create(ProjectPinSchema, { project: this.project, authority: this.#authority.id });
  }

  /** The highest number that it means apps to see. */
  get newest(): number {
    return this.#newest;
  }

  /** The next state: both flags at the next number, signed at a position and time of choice. */
  sign(of: { term?: number; seq?: number; wallMs?: number } = {}): number {
    this.#newest++;
    this.#ledger = this.#next(this.#newest, of);
    this.#beat = undefined;
    return this.#newest;
  }

  /** Something signed as if in the future, by who knows of more roots or grants, or once more at the same position; then as it was. */
  lie(of: { value: number; seq?: number; wallMs?: number; said?: SaidTrust }): Frame[] {
    const frames = framesOf(this.#next(of.value, of), this.#authority);
    return frames;
  }

  /** A beat of the head as it is, of some time. */
  beatAt(wallMs: number): Frame {
    const { head } = this.#ledger;
    if (head === undefined) throw new Error("nothing is signed");
    const beat = signBeat({ head, wallMs, key: this.#authority.writer.beatKey });
    return this.#heartbeat(beat);
  }

  /** Everything, from the first root to the newest state. */
  frames(): Frame[] {
    const frames = framesOf(this.#ledger, this.#authority);
    return this.#beat === undefined ? frames : [...frames, this.#heartbeat(this.#beat)];
  }

  get seq(): number {
    return this.#ledger.position?.seq ?? 0;
  }

  #heartbeat(beat: SignedBeat): Frame {
    const ledger = { authority: this.#authority.id, project: this.project };
    return frame({
      case: "heartbeat",
      value: { beats: [{ ledger, beat: beat.envelope }] },
    });
  }

  #next(
    value: number,
    of: { term?: number; seq?: number; wallMs?: number; said?: SaidTrust },
  ): Ledger {
    const { term = this.#ledger.position?.term ?? 1, seq = this.seq + 1 } = of;
    const ledger = this.#authority.emptyLedger();
    const entries = ["a", "b"].map((name) => ({
      key: `flag/${name}`,
      value: toBinary(FlagSchema, create(FlagSchema, { name, basisPoints: value, hash: 2 })),
    }));
    const staged = valueOf(ledger.stage({ entries, tombstones: [] }));
    const head = signHead({
      ledger: ledger.name,
      position: { term, seq, digest: staged.set.digest },
      previous: this.#ledger.head,
      entriesCount: entries.length,
      wallMs: of.wallMs ?? Date.now(),
      ...(of.said && { said: of.said }),
      key: this.#keys[term === 1 ? 0 : 1],
    });
    ledger.accept(valueOf(ledger.changeTo(head, staged)));
    return ledger;
  }
}

/** The highest position of a term. */
export const lastSeq = sequenceMax;

function framesOf(ledger: Ledger, authority: Authority): Frame[] {
  const name = { authority: authority.id, project: authority.project };
  const trust = trustMessage(authority.trusted);
  const hops = [new Uint8Array(8).fill(66)];
  return [
    frame({ case: "offer", value: { ledger: name, outcome: "SNAPSHOT", hops } }),
    frame({ case: "trustUpdate", value: { ledger: name, trust } }),
    ...(snapshotOf(ledger)?.frames ?? []).map((one: ReplicateResponse) => one.frame),
  ];
}

function frame(
  init: NonNullable<Parameters<typeof create<typeof ReplicateResponseSchema>>[1]>["frame"],
): Frame {
  return create(ReplicateResponseSchema, { frame: init } as never).frame;
}
