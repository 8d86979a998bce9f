import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ProjectPinSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import type { Effect } from "../../relay/effect.ts";
import { deltaSince } from "../../relay/ledger/delta.ts";
import { signHead } from "../../relay/ledger/head.ts";
import type { Ledger } from "../../relay/ledger/ledger.ts";
import { LedgerFrames } from "../../relay/link/ledger-frames.ts";
import { protocolVersion } from "../../relay/link/protocol.ts";
import { toHex } from "../../relay/trust/key.ts";
import { Authority, contentOf, type Entries, epochMs, valueOf } from "./authority.ts";
import { bring, encoded, hear, kindsOf, upstreamSettings } from "./child-node.ts";
import { aliasEntry, anyOwn, anyRules, flagNames, releaseNames } from "./layers/entries.ts";
import { SteppedNode } from "./stepped-node.ts";

const [vendor, site] = ["vendor", "plant"].map((name) => new Authority({ name })) as [
  Authority,
  Authority,
];
const upstream = new Authority({
  powers: [
    {
      case: "overlay",
      value: { authority: vendor.id, flags: ["alpha"], pinBasisPointsMax: 5000, aliases: true },
    },
  ],
});
const authorities = [upstream, vendor, site];
const project = "horizon";
const versions = [...releaseNames, "1.0-el9", "2.0-el9", "unpublished"];

/** Entries that no writer of ours would write: of kinds, readers and forms that nobody knows. */
const anyKey = fc.oneof(
  fc.constantFrom("flag/alpha", "release/1.0", "rule/pin/alpha", "rule/kill/*", "alias/1.0-el9"),
  fc.constantFrom("census/x", "panel/y", "flag/-", "flag/a/b", "rule/cap/a/b", "z/~"),
);
const noise: fc.Arbitrary<Entries> = fc
  .array(fc.tuple(anyKey, fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined })), {
    maxLength: 4,
  })
  .map((all) => Object.fromEntries(all));
const anyAliases = fc
  .array(fc.tuple(fc.constantFrom("1.0-el9", "2.0-el9"), fc.constantFrom(...releaseNames)), {
    maxLength: 2,
  })
  .map((all): Entries => Object.assign({}, ...all.map((one) => aliasEntry(...one))));
const anyChange: fc.Arbitrary<Entries> = fc
  .tuple(fc.oneof(anyOwn, anyRules, anyAliases), noise)
  .map(([entries, bytes]) => ({ ...entries, ...bytes }));
const anyCommits = fc.array(fc.tuple(fc.nat(2), anyChange), { minLength: 1, maxLength: 8 });

/** What whoever has the key can sign, which is more than our own writer does. */
function sign({ writer }: Authority, ledger: Ledger, changes: Entries, wallMs: number): void {
  const entries = Object.entries(changes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value }],
  );
  const tombstones = Object.keys(changes).filter((key) => changes[key] === undefined);
  const staged = valueOf(ledger.stage({ entries, tombstones }));
  const head = signHead({
    ledger: ledger.name,
    position: { term: 1, seq: (ledger.position?.seq ?? 0) + 1, digest: staged.set.digest },
    previous: ledger.head,
    entriesCount: staged.set.count,
    wallMs,
    key: writer.ledgerKey,
  });
  ledger.accept(valueOf(ledger.changeTo(head, staged)));
}

function newChild(): SteppedNode {
  const overlays = [vendor.id, site.id];
  const pin = create(ProjectPinSchema, { project, authority: upstream.id, overlays });
  const child = new SteppedNode({ upstreams: [upstreamSettings], pins: [pin] });
  child.wait(0);
  hear(child, encoded("welcome", { protocol: protocolVersion, heartbeatMs: 60_000 }));
  return child;
}

/** All that may be seen of a node, but for how it came to know it. */
function seen(child: SteppedNode): unknown {
  const { reads } = child.node;
  const { wallMs, monoMs } = child;
  const { projects, problems } = reads.status({ wallMs, monoMs });
  return {
    projects,
    problems,
    ledgers: authorities
      .map(({ id: authority }) => valueOf(reads.ledger({ project, authority }, wallMs)))
      .map((ledger) => ({
        ...ledger,
        entries: ledger.entries.toSorted((a, b) => (a.key < b.key ? -1 : 1)),
      })),
    tables: versions.map((version) => reads.table(project, version, wallMs)),
    builds: versions.map((version) => reads.releaseOf(project, version, wallMs)),
    explained: flagNames.map((flag) =>
      reads.explain({ project, flag, instance: "i", version: "1.0" }, wallMs),
    ),
    stored: [...child.stored]
      .filter(([key]) => /^(entry|head|trust) /.test(key))
      .map(([key, { value }]) => `${key} ${toHex(value)}`)
      .sort(),
  };
}

const quiet = (effects: readonly Effect[]): boolean =>
  !kindsOf(effects).some((kind) => kind === "hang-up" || kind === "dial") &&
  !effects.some((one) => one.kind === "log" && one.entry.event === "frame-refused");

test("state is a function of heads: who came early, late, or again agrees byte for byte", () => {
  fc.assert(
    fc.property(anyCommits, fc.nat(8), (commits, turn) => {
      const ledgers = authorities.map((authority) => authority.ledger());
      const early = newChild();
      expect(quiet(bring(early, ...ledgers))).toBe(true);
      let again: SteppedNode | undefined;
      for (const [at, [which, changes]] of commits.entries()) {
        const ledger = ledgers[which]!;
        const previous = ledger.position!;
        sign(authorities[which]!, ledger, changes, epochMs);
        const delta = deltaSince(ledger, previous)!;
        expect(quiet(hear(early, encoded("delta", delta)))).toBe(true);
        if (at !== turn) continue;
        again = newChild();
        bring(again, ...ledgers);
        again.restart();
        again.wait(60_000);
        hear(again, encoded("welcome", { protocol: protocolVersion, heartbeatMs: 60_000 }));
      }
      const late = newChild();
      expect(quiet(bring(late, ...ledgers))).toBe(true);
      if (again !== undefined) {
        for (const [i, ledger] of ledgers.entries()) {
          const held = valueOf(
            again.node.reads.ledger({ project, authority: authorities[i]!.id }, epochMs),
          ).position!;
          const delta = new LedgerFrames(ledger).delta(held);
          if (delta !== undefined) expect(quiet(hear(again, delta))).toBe(true);
        }
      }
      for (const child of [early, late, again ?? late]) {
        child.wallMs = epochMs + 1_000;
      }
      expect(seen(late)).toEqual(seen(early));
      if (again !== undefined) expect(seen(again)).toEqual(seen(early));
      for (const [i, ledger] of ledgers.entries()) {
        const authority = authorities[i]!.id;
        const { entries } = valueOf(late.node.reads.ledger({ project, authority }, epochMs));
        expect(
          new Map(entries.map(({ key, value }) => [key, Buffer.from(value).toString("hex")])),
        ).toEqual(contentOf(ledger));
      }
    }),
    { numRuns: 30 },
  );
});

test("what the fold refuses is taken once, told of once, and never asked for again", () => {
  fc.assert(
    fc.property(anyCommits, (commits) => {
      const ledgers = authorities.map((authority) => authority.ledger());
      const child = newChild();
      bring(child, ...ledgers);
      for (const [which, changes] of commits) {
        const ledger = ledgers[which]!;
        const previous = ledger.position!;
        sign(authorities[which]!, ledger, changes, epochMs);
        const delta = encoded("delta", deltaSince(ledger, previous)!);
        expect(quiet(hear(child, delta))).toBe(true);
        const repeated = hear(child, delta);
        expect(kindsOf(repeated)).toEqual([]);
        child.wait(1_000);
        const told = [...child.wait(1_000), ...child.wait(1_000)];
        expect(told.filter((one) => one.kind === "log")).toEqual([]);
        expect(quiet(told)).toBe(true);
      }
    }),
    { numRuns: 60 },
  );
});
