import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { SentDocumentSchema } from "../../../gen/headwater/v1/fleet_pb.ts";
import { type Document, DocumentSchema } from "../../../gen/headwater/v1/telemetry_pb.ts";
import { dayMs } from "../../../relay/cadence.ts";
import type { Write } from "../../../relay/effect.ts";
import { Received } from "../../../relay/telemetry/received.ts";
import { type DocumentKind, slotOf, Windows } from "../../../relay/telemetry/window.ts";
import { epochMs, valueOf } from "../authority.ts";
import { growth } from "../growth.ts";
import { hourMs, projectOf, settings, sharesOf, weightsDocument } from "./fixture.ts";
import { Site, upstream } from "./site.ts";

const levels = ["EXACT", "ROUNDED", "PANEL", "MODAL"] as const;

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

  test("go on soon after a clock that was ahead is right again, and their windows rise", () => {
    const site = new Site();
    site.choose("EXACT");
    for (const aheadMs of [100 * dayMs, 3 * dayMs, dayMs]) site.accept(site.due(epochMs + aheadMs));
    const windows: number[] = [];
    for (let wallMs = epochMs + 2 * dayMs; wallMs <= epochMs + 9 * dayMs; wallMs += hourMs) {
      const due = site.due(wallMs).filter(({ document }) => document.kind === "WEIGHTS");
      site.accept(due);
      windows.push(...due.map(({ document }) => Number(document.window)));
    }
    expect(windows.length).toBeGreaterThanOrEqual(6);
    expect(windows).toEqual(windows.map((_, n) => windows[0]! + n));
  });

  test("of a window that a parent may have taken are not made again when a clock goes back", () => {
    const site = new Site();
    site.choose("EXACT");
    const parent = new Received(new Map());
    // The parent takes what is ahead of it by as much as it ever does.
    for (let wallMs = epochMs + 6 * dayMs; ; wallMs -= hourMs) {
      const [due] = site.due(wallMs);
      if (due === undefined || !parent.prepare("a", due.document, epochMs).ok) continue;
      site.accept([due]);
      expect(valueOf(parent.prepare("a", due.document, epochMs))).not.toBe("REPEATED");
      break;
    }
    expect(site.dueOf("WEIGHTS", epochMs + 2 * dayMs)).toEqual([]);
  });

  test("to another upstream wait for no time to come, of a clock that was ahead once", () => {
    const site = new Site();
    for (const one of ["openstack", "mirror"])
      site.telemetry.consents
        .choose({ upstream: one, level: "EXACT", byCommand: true, wallMs: epochMs })!
        .accept();
    const dueTo = (to: string, wallMs: number) =>
      site.telemetry.outbox.due(to, site.project, wallMs);
    site.accept(dueTo("mirror", epochMs + 365 * dayMs));
    expect(dueTo("openstack", epochMs + 3 * dayMs)).toHaveLength(2);
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

  test("of a thousand projects take no longer to look for than of a few, each", () => {
    const times = growth({ few: 50, many: 1_000 }, (count) => {
      const site = new Site();
      site.choose("ROUNDED");
      const { outbox } = site.telemetry;
      const projects = Array.from({ length: count }, (_, n) => projectOf({ name: `p-${n}` }));
      const wallMs = epochMs + 3 * dayMs;
      for (const one of projects) for (const due of outbox.due(upstream, one, wallMs)) due.accept();
      return () => {
        for (const one of projects) expect(outbox.due(upstream, one, wallMs)).toEqual([]);
      };
    });
    expect(times).toBeLessThan(80);
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

function bytesOf(document: Document): Uint8Array {
  return toBinary(DocumentSchema, document);
}

function sentOf(writes: readonly Write[]) {
  return writes.map(({ value }) => fromBinary(SentDocumentSchema, value!));
}
