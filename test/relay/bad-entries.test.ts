import { create } from "@bufbuild/protobuf";
import { beforeEach, describe, expect, test } from "vitest";
import { ProjectPinSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import type { Effect } from "../../relay/effect.ts";
import { deltaSince } from "../../relay/ledger/delta.ts";
import type { Ledger } from "../../relay/ledger/ledger.ts";
import { ledgerEntriesMax } from "../../relay/limits.ts";
import { protocolVersion } from "../../relay/link/protocol.ts";
import { toHex } from "../../relay/trust/key.ts";
import { Authority, type Entries, epochMs, valueOf } from "./authority.ts";
import { bring, encoded, hear, kindsOf, upstreamSettings } from "./child-node.ts";
import { aliasEntry, flagEntry, releaseEntries, ruleEntry } from "./layers/entries.ts";
import { SteppedNode } from "./stepped-node.ts";

const vendor = new Authority({ name: "vendor" });
const horizon = new Authority({
  powers: [
    {
      case: "overlay",
      value: { authority: vendor.id, flags: ["pinned"], pinBasisPointsMax: 5000 },
    },
  ],
});
const nova = new Authority({ name: "nova", project: "nova" });
const bystander = flagEntry("bystander", { basisPoints: 10_000 });

let own: Ledger;
let overlay: Ledger;
let other: Ledger;
let child: SteppedNode;

beforeEach(() => {
  own = horizon.ledger({
    ...releaseEntries("0", "2.3.0"),
    ...bystander,
    ...flagEntry("alpha", { basisPoints: 100 }),
    ...flagEntry("pinned", { basisPoints: 100 }),
  });
  overlay = vendor.ledger(releaseEntries("0"));
  other = nova.ledger({ ...releaseEntries("0"), ...bystander });
  const pins = [
    create(ProjectPinSchema, { project: "horizon", authority: horizon.id, overlays: [vendor.id] }),
    create(ProjectPinSchema, { project: "nova", authority: nova.id }),
  ];
  child = new SteppedNode({ upstreams: [upstreamSettings], pins });
  child.wait(0);
  hear(child, encoded("welcome", { protocol: protocolVersion, heartbeatMs: 60_000 }));
  bring(child, own, overlay, other);
  child.wait(2_000);
});

/** A commit at the authority, as it arrives here; all that is logged, then and later. */
function heard(authority: Authority, ledger: Ledger, entries: Entries): Effect[] {
  const previous = ledger.position!;
  authority.commit(ledger, entries);
  const effects = hear(child, encoded("delta", deltaSince(ledger, previous)!));
  for (let n = 0; n < 5; n++) effects.push(...child.wait(1_000));
  return effects;
}

const warnings = (effects: readonly Effect[]): string[] =>
  effects.flatMap((one) =>
    one.kind === "log" && one.entry.level !== "info" ? one.entry.message : [],
  );

function reasonOf(flag: string, version: string, project: string = "horizon"): string {
  const of = { project, flag, instance: "i", version };
  const { enabled, reason, freshness } = child.node.reads.evaluate(of, child.wallMs);
  return `${enabled ? "on" : "off"} ${reason} ${freshness}`;
}

function status() {
  return child.node.reads.status({ wallMs: child.wallMs, monoMs: child.monoMs });
}

const pin = (flag: string, basisPoints: number): Entries =>
  ruleEntry(flag, { case: "pin", value: { basisPoints } });

describe("what an overlay says without a grant, or beyond it", () => {
  test.each<[string, Entries, string, string, string]>([
    ["a pin", pin("alpha", 10), "rule/pin/alpha", "alpha", "off ROLLOUT FRESH"],
    [
      "a pin above its limit",
      pin("pinned", 5001),
      "rule/pin/pinned",
      "pinned",
      "off ROLLOUT FRESH",
    ],
    ["a pin of all flags", pin("*", 6000), "rule/pin/*", "alpha", "off ROLLOUT FRESH"],
    ["an alias", aliasEntry("el9", "2.3.0"), "alias/el9", "alpha", "off ROLLOUT FRESH"],
  ])("is nothing, told once, and named: %s", (_, entries, key, flag, expected) => {
    const told = warnings(heard(vendor, overlay, entries));
    expect(told).toEqual([
      `horizon: without a grant, overlay ${toHex(vendor.id)} has no say in ${key}`,
    ]);
    expect(status().projects[0]!.layers[1]!.ungranted).toEqual([key]);
    expect(status().problems.join()).toMatch(/1 entries of overlay \w+ need a grant/);
    expect(reasonOf(flag, "2.3.0")).toBe(expected);
    expect(child.node.reads.releaseOf("horizon", "el9", child.wallMs)).toBe("");
    nothingElse();
  });

  test("and a pin within its limit counts", () => {
    expect(warnings(heard(vendor, overlay, pin("pinned", 5000)))).toEqual([]);
    const explained = child.node.reads.explain(
      { project: "horizon", flag: "pinned", instance: "", version: "2.3.0" },
      child.wallMs,
    );
    expect(valueOf(explained).effective).toMatchObject({ basisPoints: 5000, reason: "PINNED" });
  });
});

describe("an entry that is not understood", () => {
  test.each<[string, Entries, string]>([
    ["of a newer reader", flagEntry("alpha", { basisPoints: 10_000, reader: 2 }), "flag/alpha"],
    ["of another bucketing rule", flagEntry("alpha", { basisPoints: 1, hash: 3 }), "flag/alpha"],
    ["that is no message", { "flag/alpha": new Uint8Array([255, 255]) }, "flag/alpha"],
    ["with a range of no form", flagEntry("alpha", { versions: ">>1" }), "flag/alpha"],
    ["above everybody", flagEntry("alpha", { basisPoints: 10_001 }), "flag/alpha"],
  ])("holds its flag off, is told once, and named: %s", (_, entries, key) => {
    const told = warnings(heard(horizon, own, entries));
    expect(told).toEqual([expect.stringMatching(new RegExp(`^horizon: entries .*: ${key}$`))]);
    expect(status().projects[0]!.layers[0]!.misunderstood).toContain(key);
    expect(status().problems.join()).toMatch(/horizon: 1 entries are not understood/);
    expect(reasonOf("alpha", "2.3.0")).toBe("off NOT_UNDERSTOOD FRESH");
    nothingElse();
    const mended = heard(horizon, own, flagEntry("alpha", { basisPoints: 10_000 }));
    expect(warnings(mended)).toEqual([]);
    expect(reasonOf("alpha", "2.3.0")).toBe("on FULL FRESH");
    expect(status().problems.join()).not.toMatch(/not understood/);
  });

  test("of an overlay is nothing, told once, and named", () => {
    const told = warnings(heard(vendor, overlay, { "rule/cap/alpha": new Uint8Array([1]) }));
    expect(told).toEqual([
      expect.stringMatching(/entries of overlay \w+ that .*: rule\/cap\/alpha$/),
    ]);
    expect(status().projects[0]!.layers[1]!.misunderstood).toContain("rule/cap/alpha");
    expect(reasonOf("alpha", "2.3.0")).toBe("off ROLLOUT FRESH");
    nothingElse();
  });
});

test("as many rules as a ledger may hold, about flags that nobody has, cost nobody anything", () => {
  const rules = Array.from({ length: ledgerEntriesMax - 1 }, (_, n) => pin(`x${n}`, 1));
  while (rules.length > 0) vendor.commit(overlay, Object.assign({}, ...rules.splice(0, 20_000)));
  const effects = bring(child, overlay);
  for (let n = 0; n < 3; n++) effects.push(...child.wait(1_000));
  const told = warnings(effects);
  expect(told).toHaveLength(1);
  expect(told[0]!.length).toBeLessThan(1_000);
  expect(told[0]).toMatch(/and \d+ more$/);
  expect(status().projects[0]!.layers[1]!.ungranted).toHaveLength(20);
  nothingElse();
});

/** Other flags, other projects and the link are as they were. */
function nothingElse(): void {
  expect(reasonOf("bystander", "2.3.0")).toBe("on FULL FRESH");
  expect(reasonOf("bystander", "unknown")).toBe("on FULL FRESH");
  expect(reasonOf("bystander", "2.3.0", "nova")).toBe("on FULL FRESH");
  expect(status().upstreams[0]).toMatchObject({ state: "CONNECTED", problem: "" });
  expect(kindsOf(heard(nova, other, flagEntry(`n${epochMs}`)))).not.toContain("hang-up");
}
