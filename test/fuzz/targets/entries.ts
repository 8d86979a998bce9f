import { create, toBinary } from "@bufbuild/protobuf";
import { DeltaSchema } from "../../../gen/headwater/v1/mesh_pb.ts";
import { signHead } from "../../../relay/ledger/head.ts";
import { LedgerFrames } from "../../../relay/link/ledger-frames.ts";
import { epochMs } from "../../relay/authority.ts";
import { hear } from "../../relay/child-node.ts";
import { readEverything } from "../every-read.ts";
import { childAfter, mesh, overlayEntries, ownEntries, reborn, upstream } from "../honest-mesh.ts";
import { readOr } from "../read-or.ts";
import { assertEffects, verdictOf } from "../refusals.ts";
import { Broken, type Target } from "../target.ts";

function asDelta(entries: Readonly<Record<string, Uint8Array | undefined>>): Uint8Array {
  const puts = Object.entries(entries).map(([key, value]) => ({ key, value: value! }));
  return toBinary(DeltaSchema, create(DeltaSchema, { entries: puts, tombstones: ["flag/gone"] }));
}

/** What a mad writer signs: it is stored and forwarded, and folds to off. */
export const entries: Target = {
  name: "entries",
  form: "wire",
  share: 3,
  seeds: () => [
    asDelta(ownEntries),
    asDelta({ ...ownEntries, ...overlayEntries }),
    ...Object.entries(ownEntries).map(([key, value]) => asDelta({ [key]: value })),
  ],
  open: () => {
    const start = childAfter(mesh.changesFrom);
    let n = 0;
    return (input) => {
      const delta = readOr(DeltaSchema, input);
      if (delta === undefined) return "refused";
      const ledger = upstream.ledger(ownEntries);
      const from = ledger.position!;
      const staged = ledger.stage(delta);
      if (!staged.ok) return verdictOf(staged);
      const { set } = staged.value;
      const head = signHead({
        ledger: ledger.name,
        position: { term: 1, seq: from.seq + 1, digest: set.digest },
        previous: ledger.head,
        entriesCount: set.count,
        wallMs: epochMs,
        key: upstream.writer.ledgerKey,
      });
      const change = ledger.changeTo(head, staged.value);
      if (!change.ok) return verdictOf(change);
      ledger.accept(change.value);
      const child = reborn(start);
      const frame = new LedgerFrames(ledger).delta(from);
      if (frame === undefined) return "refused";
      assertEffects(hear(child, frame));
      readEverything(child);
      if (n++ % 8 === 0) {
        child.restart();
        if (child.node.reads.damaged().length > 0)
          throw new Broken("what it has stored is damaged");
        readEverything(child);
      }
      return "accepted";
    };
  },
};
