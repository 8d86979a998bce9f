import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  GoodbyeSchema,
  OfferSchema,
  type ReplicateResponse,
  WelcomeSchema,
} from "../../../gen/headwater/v1/mesh_pb.ts";
import { heartbeatIntervalMs } from "../../../relay/cadence.ts";
import type { Effect } from "../../../relay/effect.ts";
import type { Ledger } from "../../../relay/ledger/ledger.ts";
import { Uplinks } from "../../../relay/link/uplinks.ts";
import { Random } from "../../../relay/random.ts";
import { Authority, epochMs } from "../authority.ts";

export const authority: Authority = new Authority();
export const nodeId: Uint8Array = new TextEncoder().encode("child...");
export const theirs: Uint8Array = new TextEncoder().encode("parent..");

type Settings = { addresses?: string[]; projects?: string[]; seed?: number };

/** A child and its links, on a clock that the test moves; its first upstream is `up`. */
export class Child {
  readonly links: Uplinks;
  nowMs = 0;

  constructor(wanted: Ledger[], settings: Settings = {}) {
    this.links = new Uplinks({
      self: { site: "site", node: "n", nodeId },
      ledgers: () => wanted,
      isWritten: () => false,
      voucherOf: () => "",
      random: new Random(settings.seed ?? 7),
    });
    this.add("up", settings);
  }

  get uplink() {
    return this.links.all[0]!;
  }

  get primary(): string | undefined {
    return this.links.primaryOf(authority.ledger().id)?.settings.id;
  }

  add(id: string, { addresses = ["a:1"], projects }: Settings = {}): void {
    const settings = { id, addresses, projects, certificate: undefined, credential: undefined };
    this.links.add(settings, 0);
  }

  tick(monoMs: number): Effect[] {
    this.nowMs = monoMs;
    return this.links.tick({ monoMs, wallMs: epochMs + monoMs });
  }

  /** The address that is dialled next, with the wait before it and the failure after it. */
  dialNext(): string | undefined {
    const [effect] = this.tick(this.links.dueAtMonoMs!);
    this.links.closed("up", "refused", this.nowMs);
    return effect?.kind === "dial" ? effect.dial.address : undefined;
  }

  hear(frame: ReplicateResponse["frame"], monoMs: number, id: string = "up"): Effect[] {
    return this.links.hear(id, frame, { monoMs, wallMs: epochMs + monoMs }).effects;
  }

  welcomed(
    monoMs: number,
    of: { heartbeatMs?: number; protocol?: number } = {},
    id: string = "up",
  ): void {
    this.tick(monoMs);
    const { heartbeatMs = heartbeatIntervalMs, protocol = 1 } = of;
    const value = create(WelcomeSchema, {
      protocol,
      site: "openstack",
      node: "p1",
      heartbeatMs,
    });
    this.hear({ case: "welcome", value }, monoMs, id);
  }

  offer(of: { outcome: string; hops?: Uint8Array[] }, monoMs: number, id: string = "up"): void {
    const ledger = { authority: authority.id, project: authority.project };
    const value = create(OfferSchema, { ledger, hops: [theirs], ...of });
    this.hear({ case: "offer", value }, monoMs, id);
  }

  goodbye(of: MessageInitShape<typeof GoodbyeSchema>, monoMs: number): Effect[] {
    return this.hear({ case: "goodbye", value: create(GoodbyeSchema, of) }, monoMs);
  }
}
