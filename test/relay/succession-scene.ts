import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Trust, TrustSchema } from "../../gen/headwater/v1/ledger_pb.ts";
import {
  CommitRequestSchema,
  type PromoteRequest,
  PromoteRequestSchema,
  type PromoteResponse,
  UpdateTrustRequestSchema,
} from "../../gen/headwater/v1/ledgers_pb.ts";
import { ReplicateResponseSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import { groupRecords, restoreLedger } from "../../relay/durable.ts";
import type { Ledger } from "../../relay/ledger/ledger.ts";
import type { Outcome } from "../../relay/refusal.ts";
import { joinNodes } from "../sim/mesh.ts";
import { World } from "../sim/world.ts";
import { Authority, keyOf, type Power, refusalOf, sealedGrant, sealedRoot } from "./authority.ts";

export const settleMs = 60_000;
export const project = "horizon";

/** A root, and below it a vendor; the project's keys are those of an `Authority`. */
export class Scene {
  readonly authority: Authority = new Authority();
  readonly world: World = new World(7);
  readonly name = { authority: this.authority.id, project };

  constructor() {
    const { world, authority } = this;
    world.add("root", { site: "upstream" });
    world.add("vendor", { site: "acme" });
    const { trust, writer } = authority;
    const seeds = { ledgerSeed: writer.ledgerKey.seed, beatSeed: writer.beatKey.seed };
    world.ask("root", (call) => ({ kind: "prepare-ledger", call, project, ...seeds }));
    world.ask("root", (call) => ({ kind: "create-ledger", call, project, trust }));
    joinNodes(world, "root", "vendor");
    world.run(settleMs);
  }

  update(node: string, trust: Trust): Outcome<{ changed: boolean }> {
    const request = create(UpdateTrustRequestSchema, { ledger: this.name, trust, actor: "ada" });
    return answerOf(this.world.ask(node, (call) => ({ kind: "update-trust", call, request })));
  }

  promote(
    node: string,
    of: Partial<PromoteRequest> & { term: number; follows?: number },
  ): Outcome<PromoteResponse> {
    const writer = this.authority.writerOf(of.term, "drawer");
    const grants = this.grantsFor(of.term, of.follows);
    const request = create(PromoteRequestSchema, {
      ledger: this.name,
      ledgerSeed: writer.ledgerKey.seed,
      beatSeed: writer.beatKey.seed,
      grants,
      actor: "ada",
    });
    Object.assign(request, of);
    return answerOf(this.world.ask(node, (call) => ({ kind: "promote", call, request })));
  }

  grantsFor(term: number, follows: number = 0) {
    const { ledgerKey, beatKey } = this.authority.writerOf(term, "drawer");
    return [
      this.authority.grant({
        case: "ledgerKey",
        value: { term, key: ledgerKey.publicKey, follows },
      }),
      this.authority.grant({ case: "beatKey", value: { key: beatKey.publicKey } }),
    ];
  }

  /** `term.seq` of what a node holds. */
  at(node: string): string {
    const { layers } = this.world.get(node).node.reads.status(this.world.now).projects[0]!;
    return `${layers![0]!.position?.term}.${layers![0]!.position?.seq}`;
  }

  problems(node: string): string {
    return this.world.get(node).node.reads.status(this.world.now).problems.join("\n");
  }

  /** Why a commit was refused; empty when it was not. */
  commit(node: string, name: string): string {
    const entries = [{ key: `flag/${name}`, value: new Uint8Array(0) }];
    const request = create(CommitRequestSchema, { ledger: this.name, entries, actor: "ada" });
    return refusalOf(answerOf(this.world.ask(node, (call) => ({ kind: "commit", call, request }))));
  }

  /** The ledger as somebody has it who has a copy of a node's disk. */
  stolen(node: string = "root"): Ledger {
    const records = groupRecords(this.world.get(node).store.load());
    const ledger = this.authority.emptyLedger();
    const trust = records.get("trust")?.get(ledger.id);
    if (trust === undefined) throw new Error("nothing to steal");
    const problem = restoreLedger(ledger, records);
    if (problem !== undefined) throw new Error(problem);
    return ledger;
  }

  /** A frame at the vendor, as if the root had sent it. */
  tellVendor(frame: MessageInitShape<typeof ReplicateResponseSchema>["frame"] & object): void {
    const upstream = "upstream";
    this.world.tell("vendor", {
      kind: "upstream-frame",
      upstream,
      frame: create(ReplicateResponseSchema, { frame }),
    });
  }
}

/** Root 2, which grants these powers and no others. */
export function nextTrust(authority: Authority, powers: readonly Power[]): Trust {
  const key = keyOf("second root");
  const signers = [authority.rootKey, key];
  const root = sealedRoot({ project, version: 2, keys: [key], signers });
  const grants = powers.map((power) =>
    sealedGrant({ authority: authority.id, rootVersion: 2, power, signers: [key] }),
  );
  return create(TrustSchema, { roots: [authority.root, root], grants });
}

export function powersOf(authority: Authority, terms: readonly number[]): Power[] {
  const { beatKey } = authority.writer;
  return [
    ...terms.map((term): Power => {
      const writer = term === 1 ? authority.writer : authority.writerOf(term, "drawer");
      return { case: "ledgerKey", value: { term, key: writer.ledgerKey.publicKey } };
    }),
    { case: "beatKey", value: { key: beatKey.publicKey } },
  ];
}

function answerOf<T>(outcome: Outcome<T> | undefined): Outcome<T> {
  if (outcome === undefined) throw new Error("no answer");
  return outcome;
}
