import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { TrustSchema } from "../../gen/headwater/v1/ledger_pb.ts";
import { ProjectPinSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import type { Document } from "../../gen/headwater/v1/telemetry_pb.ts";
import { beatIntervalMs, clockSkewMsMax, dayMs, staleAfterMs } from "../../relay/cadence.ts";
import type { Effect } from "../../relay/effect.ts";
import type { Peer } from "../../relay/event.ts";
import { Authority, epochMs, refusalOf, valueOf } from "./authority.ts";
import {
  authority,
  bring,
  childOf,
  encoded,
  hear,
  kindsOf,
  pin,
  upstreamSettings,
} from "./child-node.ts";
import { flagEntry, ruleEntry } from "./layers/entries.ts";
import { rootNode, SteppedNode } from "./stepped-node.ts";
import { reportOf, weightsDocument } from "./telemetry/fixture.ts";

const vendor = new Authority({ name: "vendor" });

describe("the writer's beats", () => {
  const beatsOf = (effects: readonly Effect[]) =>
    effects.flatMap((effect) =>
      effect.kind === "publish" && effect.message.body.case === "frame"
        ? effect.message.body.value.frame.case === "heartbeat"
          ? 1
          : []
        : [],
    ).length;

  test("come once an interval", () => {
    const root = rootNode();
    expect(beatsOf(root.wait(1000))).toBe(1);
    expect(beatsOf(root.wait(beatIntervalMs - 1))).toBe(0);
    expect(beatsOf(root.wait(1))).toBe(1);
  });

  test("go on when the clock is set back, after a new head that others can take by then", () => {
    const root = rootNode();
    const seq = () =>
      root.node.reads.status({ wallMs: root.wallMs, monoMs: 0 }).projects[0]?.layers[0]?.position
        ?.seq;
    root.wait(1000);
    const before = seq() ?? 0;
    root.wallMs -= dayMs;
    expect(beatsOf(root.wait(1000))).toBe(0);
    expect(seq()).toBe(before + 1);
    expect(beatsOf(root.wait(1000))).toBe(1);
    expect(beatsOf(root.wait(1000))).toBe(0);
    expect(beatsOf(root.wait(beatIntervalMs))).toBe(1);
    expect(seq()).toBe(before + 1);
  });

  test("go on when the clock is set back by what everybody bears, under the same head", () => {
    const root = rootNode();
    root.wait(1000);
    root.wallMs -= clockSkewMsMax;
    expect(beatsOf(root.wait(1000))).toBe(1);
  });
});

describe("a report", () => {
  const reported = (stepped: SteppedNode, project: string, instance = "a") =>
    stepped.ask<{ nextAfterMs: number }>((call) => ({
      kind: "report",
      call,
      report: { ...reportOf({ instance }), project },
    }));

  test("is counted until its instance has been silent for two intervals, whoever asks", () => {
    const root = rootNode();
    const { nextAfterMs } = valueOf(reported(root, "horizon"));
    expect(nextAfterMs).toBeGreaterThan(0);
    expect(nextAfterMs).toBeLessThanOrEqual(30 * 60_000);
    const count = () =>
      root.node.reads.status({ wallMs: root.wallMs, monoMs: 0 }).projects[0]?.instancesCount;
    root.wait(2 * 30 * 60_000);
    expect(count()).toBe(1);
    root.wait(1000);
    expect(count()).toBe(0);
  });

  test("for a project that is not held is refused", () => {
    expect(refusalOf(reported(rootNode(), "oslo"))).toContain("unknown");
  });
});

describe("documents", () => {
  test("are taken once for a window from a child that is known, for a project that is held", () => {
    const root = rootNode();
    const outcomeOf = (peer: Peer, document: Document) => {
      const outcome = root.ask<{ outcome: string }>((call) => ({
        kind: "document-received",
        call,
        peer,
        document,
      }));
      return outcome.ok ? outcome.value.outcome : refusalOf(outcome);
    };
    const acme: Peer = { by: "certificate", name: "acme" };
    expect(outcomeOf(acme, weightsDocument({}))).toBe("ACCEPTED");
    expect(outcomeOf(acme, weightsDocument({}))).toBe("REPEATED");
    expect(outcomeOf(acme, { ...weightsDocument({}), project: "oslo" })).toBe("UNKNOWN_PROJECT");
    expect(outcomeOf({ by: "credential", credential: undefined }, weightsDocument({}))).toContain(
      "forbidden",
    );
    root.restart();
    expect(outcomeOf(acme, weightsDocument({}))).toBe("REPEATED");
    expect(root.node.reads.fleet("horizon", root.wallMs)).toMatchObject({
      value: { reportersCount: 1 },
    });
  });

  test("are durable before they are sent, are tried again, and no more once disclosure is off", () => {
    const child = sendingChild();
    const submitted = (effects: readonly Effect[]) =>
      effects.filter(({ kind }) => kind === "submit-document");
    const [first, ...rest] = submitted(child.wait(1000));
    expect(rest).toHaveLength(1);
    expect(child.storedKeys("window")).toHaveLength(2);
    const document = first?.kind === "submit-document" ? first.document : undefined;
    const fails = () =>
      child.tell({
        kind: "document-answered",
        upstream: "openstack",
        document: document!,
        outcome: "unreachable",
      });
    fails();
    keepOpen(child, 29_000);
    expect(submitted(child.wait(0))).toEqual([]);
    keepOpen(child, 2000);
    expect(submitted(child.wait(0))).toEqual([]);
    fails();
    valueOf(child.ask((call) => ({ kind: "set-disclosure", call, level: "OFF", upstream: "" })));
    expect(keepOpen(child, 40_000).filter(({ kind }) => kind === "submit-document")).toEqual([]);
  });

  test("that could not be written are not sent, and come with the next tick", () => {
    const child = sendingChild();
    child.disk = "full";
    expect(kindsOf(child.wait(1000))).not.toContain("submit-document");
    child.disk = "good";
    expect(kindsOf(child.wait(1000))).toContain("submit-document");
  });
});

describe("freshness", () => {
  const exposed = (effects: readonly Effect[]) =>
    effects.flatMap((effect) => (effect.kind === "expose" ? effect.exposure : []));

  test("that a beat brings back is told at once, and that time takes at the next look", () => {
    const child = childOf();
    const ledger = authority.ledger();
    bring(child, ledger);
    child.wallMs += staleAfterMs + 1;
    const unchanged = { project: "horizon", changes: [], vocabulary: false };
    expect(exposed(child.wait(1000))).toEqual([unchanged]);
    hear(child, encoded("offer", { outcome: "RESUME", hops: [] }));
    const beat = authority.writer.beat(ledger, child.wallMs);
    const name = { authority: authority.id, project: "horizon" };
    const beats = [{ ledger: name, beat: beat?.envelope }];
    const effects = hear(child, encoded("heartbeat", { beats }));
    expect(exposed(effects)).toEqual([unchanged]);
    expect(effects).toContainEqual(
      expect.objectContaining({
        kind: "log",
        entry: expect.objectContaining({ message: "horizon is FRESH" }),
      }),
    );
    expect(exposed(hear(child, encoded("heartbeat")))).toEqual([]);
  });
});

describe("grants", () => {
  test("that arrive change what apps get, at once", () => {
    const pins = [create(ProjectPinSchema, { ...pin, overlays: [vendor.id] })];
    const child = new SteppedNode({ upstreams: [upstreamSettings], pins });
    child.wait(0);
    const effect = { case: "pin", value: { basisPoints: 300 } } as const;
    bring(child, authority.ledger(flagEntry("alpha")), vendor.ledger(ruleEntry("alpha", effect)));
    expect(child.flags()).toEqual({ alpha: 0 });
    const overlay = { authority: vendor.id, pinBasisPointsMax: 500 };
    const grants = [authority.grant({ case: "overlay", value: overlay }, epochMs + dayMs)];
    const trust = create(TrustSchema, { roots: [authority.root], grants });
    const effects = hear(child, encoded("trustUpdate", { trust }));
    expect(effects.find(({ kind }) => kind === "expose")).toMatchObject({
      exposure: { project: "horizon", changes: [{ flags: [{ name: "alpha", basisPoints: 300 }] }] },
    });
    expect(child.flags()).toEqual({ alpha: 300 });
    child.wallMs = epochMs + dayMs;
    const ended = child.wait(1000).find(({ kind }) => kind === "expose");
    expect(ended).toMatchObject({ exposure: { changes: [{ flags: [{ basisPoints: 0 }] }] } });
  });
});

/** One that has consented, and whose windows are over. */
function sendingChild(): SteppedNode {
  const child = childOf();
  bring(child, authority.ledger());
  valueOf(child.ask((call) => ({ kind: "set-disclosure", call, level: "ROUNDED", upstream: "" })));
  child.wallMs += 3 * dayMs;
  hear(child, encoded("offer", { outcome: "RESUME", hops: [] }));
  return child;
}

/** Time passes on an open link, a second at a time; what happens meanwhile. */
function keepOpen(child: SteppedNode, forMs: number): Effect[] {
  const effects: Effect[] = [];
  for (let ms = 0; ms < forMs; ms += 1000) {
    hear(child, encoded("heartbeat"));
    effects.push(...child.wait(1000));
  }
  return effects;
}
