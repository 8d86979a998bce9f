import { fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SentDocumentSchema } from "../../../gen/headwater/v1/fleet_pb.ts";
import { type Document, DocumentSchema } from "../../../gen/headwater/v1/telemetry_pb.ts";
import { dayMs } from "../../../relay/cadence.ts";
import type { Write } from "../../../relay/effect.ts";
import type { DisclosureLevel } from "../../../relay/telemetry/disclosure/level.ts";
import { type DocumentKind, slotOf, Windows } from "../../../relay/telemetry/window.ts";
import { epochMs } from "../authority.ts";
import {
  healthDocument,
  hourMs,
  type ReportInit,
  settings,
  sharesOf,
  weightsDocument,
} from "./fixture.ts";
import { Site, upstream } from "./site.ts";

const levels = ["EXACT", "ROUNDED", "PANEL", "MODAL"] as const;

describe("nothing leaves before the operator says so", () => {
  test("not by default, not at level OFF, not of a project without data", () => {
    const site = new Site();
    site.report({ instance: "a" });
    expect(site.due(epochMs + 100 * dayMs)).toEqual([]);
    site.choose("OFF");
    expect(site.due(epochMs + 100 * dayMs)).toEqual([]);
    expect(site.telemetry.consents.of(upstream)).toMatchObject({ level: "OFF", source: "command" });
  });

  test("and then for that upstream only: consent is never inherited", () => {
    const site = new Site();
    site.choose("ROUNDED");
    expect(site.due(epochMs + 3 * dayMs)).toHaveLength(2);
    expect(site.telemetry.outbox.due("another", site.project, epochMs + 3 * dayMs)).toEqual([]);
  });

  test("and then nothing from before that moment: neither reports nor children's documents", () => {
    const site = new Site();
    const consentMs = site.windows("WEIGHTS").startMs(site.windows("WEIGHTS").at(epochMs) + 1);
    site.report({ instance: "before", version: "1.0" }, consentMs - 1);
    site.receive("before", weightsDocument({ "1.0": 10_000 }), consentMs - 1);
    site.choose("EXACT", consentMs);
    site.report({ instance: "after", version: "2.0" }, consentMs + dayMs - 1);
    const [document] = site.dueOf("WEIGHTS", consentMs + dayMs);
    expect(sharesOf(document?.weights, "releases")).toEqual({ "2.0": 10_000 });
  });

  test("a choice that is not durable yet is none", () => {
    const site = new Site();
    site.telemetry.consents.choose({ upstream, level: "EXACT", byCommand: true, wallMs: epochMs });
    expect(site.telemetry.consents.of(upstream).level).toBe("OFF");
  });

  test("what the environment says counts from when it is first seen, and yields to a command", () => {
    const site = new Site({ disclosure: "ROUNDED" });
    expect(site.telemetry.consents.of(upstream).level).toBe("OFF");
    site.adopt(epochMs + 5);
    expect(site.telemetry.consents.of(upstream)).toEqual({
      level: "ROUNDED",
      sinceMs: epochMs + 5,
      source: "environment",
    });
    expect(site.telemetry.consents.adoptEnvironment(upstream, epochMs + 9)).toBeUndefined();
    site.choose("OFF", epochMs + 20);
    expect(site.telemetry.consents.adoptEnvironment(upstream, epochMs + 30)).toBeUndefined();
    expect(site.telemetry.consents.of(upstream).level).toBe("OFF");
    const withoutIt = new Site();
    expect(withoutIt.telemetry.consents.adoptEnvironment(upstream, epochMs)).toBeUndefined();
  });

  test("saying the same again starts no new window, saying something else does", () => {
    const site = new Site();
    site.choose("ROUNDED", epochMs);
    site.choose("ROUNDED", epochMs + dayMs);
    expect(site.telemetry.consents.of(upstream).sinceMs).toBe(epochMs);
    site.choose("EXACT", epochMs + dayMs);
    expect(site.telemetry.consents.of(upstream).sinceMs).toBe(epochMs + dayMs);
  });
});

describe("documents", () => {
  test("are one for each kind and window, the first after a full one, whether or not anything was reported", () => {
    const site = new Site();
    site.choose("ROUNDED");
    const sent: Document[] = [];
    for (let wallMs = epochMs; wallMs <= epochMs + 5 * dayMs; wallMs += hourMs / 4)
      for (const due of site.due(wallMs)) {
        due.accept();
        sent.push(due.document);
      }
    for (const [kind, windowMs] of [
      ["WEIGHTS", dayMs],
      ["HEALTH", hourMs],
    ] as const) {
      const windows = sent.filter((one) => one.kind === kind).map(({ window }) => Number(window));
      expect(windows).toEqual(windows.map((_, n) => windows[0]! + n));
      expect(site.windows(kind).startMs(windows[0]!)).toBeGreaterThanOrEqual(epochMs);
      expect(site.windows(kind).startMs(windows[0]!)).toBeLessThan(epochMs + windowMs);
      const whole = Math.floor(
        (epochMs + 5 * dayMs - site.windows(kind).startMs(windows[0]!)) / windowMs,
      );
      expect(windows).toHaveLength(whole);
    }
  });

  test("do not come back to a site that is now above and was below", () => {
    const site = new Site();
    site.choose("EXACT");
    site.report({ instance: "own", version: "1.0" });
    const counts = { "1.0": 7 };
    const exact = weightsDocument({ "1.0": 10_000 }, { disclosure: "EXACT", counts });
    site.receive(upstream, exact);
    site.receive("another", exact);
    const { weights } = site.telemetry.fleet(site.project, epochMs);
    expect(weights.releases[0]).toMatchObject({ name: "1.0", count: 15 });
    const [document] = site.dueOf("WEIGHTS", epochMs + 2 * dayMs);
    expect(document?.weights?.releases[0]).toMatchObject({ name: "1.0", count: 7 });
  });

  test("are not made again after a restart, nor before they are durable", () => {
    const site = new Site();
    site.choose("ROUNDED");
    const wallMs = epochMs + 3 * dayMs;
    expect(site.due(wallMs)).toHaveLength(2);
    const due = site.due(wallMs);
    expect(due).toHaveLength(2);
    site.accept(due);
    expect(site.due(wallMs)).toEqual([]);
    expect(site.restarted().due(wallMs)).toEqual([]);
    expect(site.restarted().due(wallMs + dayMs)).toHaveLength(2);
  });

  test("to another upstream are about later windows: no time is told to two", () => {
    const site = new Site();
    const spans: { upstream: string; kind: string; beginsMs: number; windowMs: number }[] = [];
    for (const one of ["openstack", "mirror"])
      site.telemetry.consents
        .choose({ upstream: one, level: "EXACT", byCommand: true, wallMs: epochMs })!
        .accept();
    for (let wallMs = epochMs; wallMs <= epochMs + 9 * dayMs; wallMs += hourMs / 4) {
      // It goes over every three days and a bit, and comes back.
      const to = Math.floor((wallMs - epochMs) / (3.1 * dayMs)) % 2 === 0 ? "openstack" : "mirror";
      for (const due of site.telemetry.outbox.due(to, site.project, wallMs)) {
        due.accept();
        const { kind, window = 0n, windowMs = 0 } = due.document;
        const slot = slotOf({ upstream: to, project: "horizon", kind: kind as DocumentKind });
        const windows = new Windows({ siteSecret: settings.siteSecret, slot, windowMs });
        spans.push({ upstream: to, kind, beginsMs: windows.startMs(Number(window)), windowMs });
      }
    }
    const told = spans.filter(({ kind }) => kind === "WEIGHTS");
    expect(new Set(told.map((one) => one.upstream)).size).toBe(2);
    for (const [at, one] of spans.entries())
      for (const other of spans.slice(at + 1))
        if (one.kind === other.kind && one.upstream !== other.upstream)
          expect(one.beginsMs + one.windowMs).toBeLessThanOrEqual(other.beginsMs);
    // Two whole windows at most are told to nobody: the one it went over in, and the rest of a slot.
    const gaps = told.slice(1).map(({ beginsMs }, at) => beginsMs - told[at]!.beginsMs);
    expect(Math.max(...gaps)).toBeLessThan(3 * dayMs);
  });

  test("go on when windows become longer or shorter, and their starts rise", () => {
    const starts: bigint[] = [];
    let site = new Site({ windowMs: hourMs });
    site.choose("ROUNDED");
    let wallMs = epochMs;
    for (const windowMs of [hourMs, 2 * dayMs, 1000, dayMs]) {
      site = site.restarted({ windowMs });
      wallMs += 5 * dayMs;
      const [due] = site.due(wallMs);
      expect(due?.document).toMatchObject({ kind: "WEIGHTS", windowMs });
      site.accept([due!]);
      starts.push(due!.document.window! * BigInt(windowMs));
    }
    expect(starts).toEqual([...starts].sort((a, b) => (a < b ? -1 : 1)));
    expect(new Set(starts).size).toBe(starts.length);
  });

  test("are as the preview said, byte for byte", () => {
    for (const level of levels) {
      const site = new Site();
      site.choose(level);
      const windows = site.windows("WEIGHTS");
      const endMs = windows.startMs(windows.at(epochMs + 2 * dayMs));
      for (let n = 0; n < 9; n++)
        site.report({ instance: `${n}`, version: n < 4 ? "2.0" : "x", on: ["alpha"] }, endMs - n);
      const preview = site.telemetry.outbox.preview({
        upstream,
        project: site.project,
        kind: "WEIGHTS",
        level,
        wallMs: endMs - 1,
      });
      const [document] = site.dueOf("WEIGHTS", endMs);
      expect(bytesOf(document!)).toEqual(bytesOf(preview!));
    }
  });

  test("are kept for the operator with what became of them", () => {
    const site = new Site();
    site.choose("ROUNDED");
    const [due] = site.due(epochMs + 3 * dayMs);
    site.accept([due!]);
    const { writes, again } = site.telemetry.outbox.answered(
      upstream,
      due!.document,
      "unreachable",
    );
    expect(again).toBe(true);
    expect(sentOf(writes)).toMatchObject([{ outcome: "unreachable", upstream }]);
    const second = site.telemetry.outbox.answered(upstream, due!.document, "ACCEPTED");
    expect([second.again, sentOf(second.writes)[0]?.outcome]).toEqual([false, "ACCEPTED"]);
    expect(second.writes[0]?.key).toBe(writes[0]?.key);
    expect(site.telemetry.outbox.answered(upstream, due!.document, "ACCEPTED").writes).toEqual([]);
  });

  test("are tried three times, and then left", () => {
    const site = new Site();
    site.choose("ROUNDED");
    const [due] = site.due(epochMs + 3 * dayMs);
    site.accept([due!]);
    const tries = Array.from(
      { length: 4 },
      () => site.telemetry.outbox.answered(upstream, due!.document, "unreachable").again,
    );
    expect(tries).toEqual([true, true, false, false]);
  });

  test("that have been overtaken by the next window's are not taken for it", () => {
    const site = new Site();
    site.choose("ROUNDED");
    const [old] = site.due(epochMs + 3 * dayMs);
    site.accept([old!]);
    const [young] = site.due(epochMs + 4 * dayMs);
    site.accept([young!]);
    expect(site.telemetry.outbox.answered(upstream, old!.document, "ACCEPTED").writes).toEqual([]);
    const { writes } = site.telemetry.outbox.answered(upstream, young!.document, "ACCEPTED");
    expect(sentOf(writes)[0]?.document?.window).toBe(young!.document.window);
  });

  test("that were made may leave only while the operator's choice is the same", () => {
    const site = new Site();
    site.choose("EXACT");
    const [due] = site.due(epochMs + 3 * dayMs);
    site.accept([due!]);
    const mayLeave = () => site.telemetry.outbox.mayLeave(upstream, due!.document);
    expect(mayLeave()).toBe(true);
    site.choose("OFF", epochMs + 4 * dayMs);
    expect(mayLeave()).toBe(false);
    site.choose("ROUNDED", epochMs + 4 * dayMs);
    expect(mayLeave()).toBe(false);
    site.choose("EXACT", epochMs + 4 * dayMs);
    expect(mayLeave()).toBe(false);
  });

  test("at a lower level do not repeat what a higher one has shown", () => {
    const site = new Site();
    site.choose("EXACT");
    const reports = (wallMs: number) => {
      for (let n = 0; n < 7; n++)
        site.report({ instance: `${n}`, version: n < 2 ? "2.0" : "1.0" }, wallMs - 1);
    };
    reports(epochMs + 3 * dayMs);
    site.accept(site.due(epochMs + 3 * dayMs));
    site.choose("ROUNDED", epochMs + 3 * dayMs);
    reports(epochMs + 6 * dayMs);
    const [document] = site.dueOf("WEIGHTS", epochMs + 6 * dayMs);
    expect(sharesOf(document?.weights, "releases")).toEqual({ "1.0": 7000, "2.0": 3000 });
    expect(document?.weights?.releases.map(({ count }) => count)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe("whatever is reported and received", () => {
  const marker = "zq";
  const text = fc.string({ maxLength: 12 }).map((some) => marker + some);
  const known = { version: fc.constantFrom("1.0", "2.0"), flag: fc.constantFrom("alpha", "beta") };
  const report: fc.Arbitrary<ReportInit> = fc.record({
    instance: text,
    version: fc.oneof(known.version, text),
    health: fc.oneof(fc.constantFrom("OK", "DEGRADED", "FAILED"), text),
    on: fc.array(fc.oneof(known.flag, text), { maxLength: 3 }),
    off: fc.array(text, { maxLength: 3 }),
  });
  const shares = fc.dictionary(fc.oneof(known.version, text), fc.nat(10_000), {
    noNullPrototype: true,
  });
  const children = fc.array(fc.tuple(text, shares, fc.nat(3)), { maxLength: 4 });

  test.each(levels)("the size of a document at %s is the same", (level) => {
    const sizes = { WEIGHTS: new Set<number>(), HEALTH: new Set<number>() };
    fc.assert(
      fc.property(fc.array(report, { maxLength: 30 }), children, (reports, documents) => {
        for (const { kind, bytes } of encoded(level, reports, documents))
          sizes[kind as "WEIGHTS" | "HEALTH"].add(bytes.length);
        expect([sizes.WEIGHTS.size, sizes.HEALTH.size]).toEqual([1, 1]);
      }),
    );
  });

  test.each(levels)("at %s no word leaves that the project has not signed", (level) => {
    fc.assert(
      fc.property(fc.array(report, { maxLength: 8 }), children, (reports, documents) => {
        for (const { bytes } of encoded(level, reports, documents))
          expect(Buffer.from(bytes).includes(marker)).toBe(false);
      }),
    );
  });

  function encoded(
    level: DisclosureLevel,
    reports: readonly ReportInit[],
    documents: readonly [string, Record<string, number>, number][],
  ): { kind: string; bytes: Uint8Array }[] {
    const site = new Site();
    site.choose(level);
    const wallMs = epochMs + 3 * dayMs;
    for (const one of reports) site.report(one, wallMs - 1);
    for (const [child, releases, seq] of documents) {
      const [window, hour] = [Math.floor(wallMs / dayMs), Math.floor(wallMs / hourMs)];
      site.receive(child, weightsDocument(releases, { window, disclosure: level }), wallMs);
      site.receive(child, healthDocument(releases, { window: hour, seq }), wallMs);
    }
    return site.due(wallMs).map(({ document }) => ({
      kind: document.kind,
      bytes: bytesOf(document),
    }));
  }
});

describe("what a node knows of its fleet", () => {
  test("is the mean of its children and of its own apps, which are one", () => {
    const site = new Site();
    for (let n = 0; n < 50; n++) site.report({ instance: `${n}`, version: "2.0" });
    site.receive("a", weightsDocument({ "1.0": 10_000 }));
    site.receive("b", weightsDocument({ "1.0": 5000 }));
    const fleet = site.telemetry.fleet(site.project, epochMs);
    expect(sharesOf(fleet.weights, "releases")).toEqual({ "1.0": 5000, "2.0": 3333 });
    expect(fleet).toMatchObject({ reportersCount: 3, own: true, instancesCount: 50 });
  });

  test("has counts only when every child has sent them", () => {
    const countOf = (...documents: Document[]) => {
      const site = new Site();
      site.report({ instance: "own", version: "1.0" });
      for (const [n, document] of documents.entries()) site.receive(`child-${n}`, document);
      return site.telemetry.fleet(site.project, epochMs).weights.releases[0]?.count;
    };
    const exact = (counts?: Record<string, number>) =>
      weightsDocument({ "1.0": 10_000 }, { disclosure: "EXACT", ...(counts && { counts }) });
    expect(countOf(exact({ "1.0": 7 }))).toBe(8);
    expect(countOf(exact({ "1.0": 7 }), weightsDocument({ "1.0": 500 }))).toBe(0);
    // A child whose own children are not all exact.
    expect(countOf(exact({ "1.0": 0 }))).toBe(0);
    expect(countOf(exact())).toBe(0);
  });

  test("can be sent on, whatever a child has counted", () => {
    const site = new Site();
    site.choose("EXACT");
    const wallMs = epochMs + 3 * dayMs;
    site.report({ instance: "own", version: "1.0" }, wallMs);
    const counts = { "1.0": 0xffff_ffff };
    const window = Math.floor(wallMs / dayMs);
    site.receive(
      "liar",
      weightsDocument({ "1.0": 1 }, { disclosure: "EXACT", counts, window }),
      wallMs,
    );
    expect(site.due(wallMs)).toHaveLength(2);
  });

  test("forgets instances that are silent, also when nobody asks", () => {
    const site = new Site();
    site.report({ instance: "a" });
    const { reportEveryMs } = site.telemetry;
    site.telemetry.expire(epochMs + 2 * reportEveryMs);
    expect(site.telemetry.intake("horizon").instancesCount).toBe(1);
    site.telemetry.expire(epochMs + 2 * reportEveryMs + 1);
    expect(site.telemetry.intake("horizon").instancesCount).toBe(0);
  });
});

function bytesOf(document: Document): Uint8Array {
  return toBinary(DocumentSchema, document);
}

function sentOf(writes: readonly Write[]) {
  return writes.map(({ value }) => fromBinary(SentDocumentSchema, value!));
}
