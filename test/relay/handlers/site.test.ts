import { create, fromBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { UpgradeSchema } from "../../../gen/headwater/v1/apps_pb.ts";
import { PeerMessageSchema } from "../../../gen/headwater/v1/fanout_pb.ts";
import { ProjectPinSchema, ReplicateResponseSchema } from "../../../gen/headwater/v1/mesh_pb.ts";
import { peerIntervalMs } from "../../../relay/cadence.ts";
import { reportFeaturesMax, reportFlagsMax } from "../../../relay/limits.ts";
import { SiteSeal } from "../../../relay/site/site-seal.ts";
import { deriveSecret, SigningKey } from "../../../relay/trust/key.ts";
import { Authority, epochMs, seedOf, valueOf } from "../authority.ts";
import {
  authority,
  bring,
  childOf,
  framesFor,
  kindsOf,
  pin,
  upstreamSettings,
} from "../child-node.ts";
import { flagEntry } from "../layers/entries.ts";
import { SteppedNode } from "../stepped-node.ts";
import { reportOf } from "../telemetry/fixture.ts";

describe("a report that a peer passes on", () => {
  const long = "x".repeat(1_000_000);
  const words = (count: number) => Array.from({ length: count }, (_, n) => `w${n}`);
  const counted = (node: string, report: Partial<ReturnType<typeof reportOf>>): number => {
    const stepped = childOf();
    bring(stepped, authority.ledger());
    const value = { ...reportOf({ instance: "i" }), ...report };
    const message = create(PeerMessageSchema, { node, body: { case: "report", value } });
    stepped.tell({ kind: "peer-spoke", message });
    return valueOf(stepped.node.reads.fleet("horizon", epochMs)).instancesCount;
  };

  const upgradeFrom = (from: string) => create(UpgradeSchema, { from, outcome: "FAILED" });

  test.each<[string, string, Partial<ReturnType<typeof reportOf>>, number]>([
    ["is one that an app may send", "n2", {}, 1],
    ["is of no instance", "n2", { instance: "" }, 0],
    ["is of one with a long name", "n2", { instance: long }, 0],
    ["is of a long version", "n2", { version: long }, 0],
    ["was upgraded from a long version", "n2", { upgrade: upgradeFrom(long) }, 0],
    ["has too many flags", "n2", reportOf({ instance: "i", on: words(reportFlagsMax + 1) }), 0],
    ["has too many features", "n2", { features: words(reportFeaturesMax + 1) }, 0],
    ["comes from a node whose name is long", long, {}, 0],
  ])("%s: it counts as many", (_, node, report, count) => {
    expect(counted(node, report)).toBe(count);
  });
});

describe("what a peer says", () => {
  const siteKey = new SigningKey(deriveSecret({ secret: seedOf("site"), purpose: "site key" }));
  const say = (stepped: SteppedNode, message: ReturnType<typeof pinsFrom>) =>
    stepped.tell({ kind: "peer-spoke", message });
  const pinsFrom = (key: SigningKey, ...pins: (typeof pin)[]) => {
    const body = new SiteSeal(key).pins(pins);
    return create(PeerMessageSchema, { node: "n2", body });
  };

  test("about pins is taken when the site's key has signed it, and its upstreams are asked anew", () => {
    const stepped = new SteppedNode({ upstreams: [upstreamSettings] });
    stepped.wait(0);
    const effects = say(stepped, pinsFrom(siteKey, pin));
    expect(stepped.node.reads.projects()).toEqual(["horizon"]);
    expect(kindsOf(effects)).toEqual(["hang-up"]);
    stepped.restart();
    expect(stepped.node.reads.projects()).toEqual(["horizon"]);
  });

  test.each([
    ["is known already", () => pinsFrom(siteKey, pin)],
    ["was signed by nobody of this site", () => pinsFrom(new SigningKey(seedOf("mallory")), pin)],
    ["is nothing", () => pinsFrom(siteKey)],
  ])("about pins and %s ends no link", (_, message) => {
    const stepped = childOf();
    expect(say(stepped, message())).toEqual([]);
  });

  test("about pins that differ is refused", () => {
    const stepped = childOf();
    const other = create(ProjectPinSchema, {
      project: "horizon",
      authority: new Authority({ name: "vendor" }).id,
    });
    expect(say(stepped, pinsFrom(siteKey, other))).toMatchObject([
      { kind: "log", entry: { event: "pins-refused" } },
    ]);
    expect(stepped.node.reads.pins()).toEqual([pin]);
  });

  test("is checked like what an upstream says, and does not go round", () => {
    const stepped = childOf();
    const ledger = authority.ledger(flagEntry("alpha", { basisPoints: 5 }));
    const effects = framesFor(ledger).flatMap((bytes) => {
      const body = { case: "frame", value: fromBinary(ReplicateResponseSchema, bytes) } as const;
      return say(stepped, create(PeerMessageSchema, { node: "n2", body }));
    });
    expect(stepped.flags()).toEqual({ alpha: 5 });
    expect(kindsOf(effects)).not.toContain("publish");
  });

  test("is asked for at every interval, with all that is held", () => {
    const stepped = childOf();
    bring(stepped, authority.ledger());
    stepped.tell({ kind: "fanout-changed", connected: true, problem: "" });
    for (const _ of [1, 2, 3]) {
      const asks = stepped
        .wait(peerIntervalMs)
        .flatMap((effect) => (effect.kind === "ask-peer" ? [effect.ask] : []));
      expect(asks).toMatchObject([{ holdings: [{ ledger: { project: "horizon" } }] }]);
    }
  });

  test("of an instance counts here too, if its project is held", () => {
    const stepped = childOf();
    bring(stepped, authority.ledger());
    for (const project of ["horizon", "no-such-project"]) {
      const value = { ...reportOf({ instance: "a" }), project };
      const body = { case: "report", value } as const;
      say(stepped, create(PeerMessageSchema, { node: "n2", body }));
    }
    const status = stepped.node.reads.status({ wallMs: epochMs, monoMs: 0 });
    expect(status.projects).toMatchObject([{ project: "horizon", instancesCount: 1 }]);
  });
});
