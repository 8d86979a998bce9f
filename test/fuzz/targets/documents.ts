import { create, toBinary } from "@bufbuild/protobuf";
import { type Document, DocumentSchema } from "../../../gen/headwater/v1/telemetry_pb.ts";
import { dayMs, minuteMs } from "../../../relay/cadence.ts";
import { epochMs } from "../../relay/authority.ts";
import { below, renewedEvery } from "../busy-node.ts";
import { readEverything } from "../every-read.ts";
import { project, signature } from "../honest-mesh.ts";
import { readOr } from "../read-or.ts";
import { assertEffects, verdictOf } from "../refusals.ts";
import type { Target } from "../target.ts";

const window = BigInt(Math.floor(epochMs / dayMs));
const share = { name: "1.0", basisPoints: 4_000, count: 12 };
const weights = {
  releases: [share, { name: "2.0", basisPoints: 6_000, count: 18 }],
  degraded: [{ ...share, basisPoints: 10 }],
  failed: [share],
  flags: [{ ...share, name: "alpha" }],
  crashes: [{ ...share, name: signature }],
};
const health = {
  releases: [{ release: "2.0", judgement: 3 }],
  flags: [{ flag: "alpha", judgement: 1 }],
  arrival: { term: 1, seq: 2, basisPoints: 10_000 },
};
const census = [{ openedMs: BigInt(epochMs), window: 1, answer: 2, expelled: 0 }];

/** Of each kind, at each level. */
export const documentSeeds: readonly Document[] = ["EXACT", "ROUNDED", "PANEL", "MODAL"].flatMap(
  (disclosure) => [
    create(DocumentSchema, {
      project,
      disclosure,
      kind: "WEIGHTS",
      window,
      windowMs: dayMs,
      weights,
      census,
    }),
    create(DocumentSchema, {
      project,
      disclosure,
      kind: "HEALTH",
      window: window * 1_440n,
      windowMs: minuteMs,
      health,
    }),
  ],
);

/** What a child says of a window. */
export const documents: Target = {
  name: "documents",
  form: "wire",
  share: 16,
  seeds: () => documentSeeds.map((one) => toBinary(DocumentSchema, one)),
  open: () => {
    const nodeNow = renewedEvery(500);
    let n = 0;
    return (input) => {
      const document = readOr(DocumentSchema, input);
      if (document === undefined) return "refused";
      const node = nodeNow();
      const outcome = node.ask((call) => ({
        kind: "document-received",
        call,
        peer: below,
        document,
      }));
      if (n++ % 64 === 0) {
        assertEffects(node.wait(dayMs));
        readEverything(node);
      }
      return verdictOf(outcome);
    };
  },
};
