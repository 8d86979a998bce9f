import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type ReportRequest, ReportRequestSchema } from "../../../../gen/headwater/v1/apps_pb.ts";
import {
  PeerMessageSchema,
  type SiteRecords,
  SiteRecordsSchema,
} from "../../../../gen/headwater/v1/fanout_pb.ts";
import { type Census, CensusSchema } from "../../../../gen/headwater/v1/flag_pb.ts";
import type { CensusEvidence } from "../../../../gen/headwater/v1/store_pb.ts";
import { type Document, DocumentSchema } from "../../../../gen/headwater/v1/telemetry_pb.ts";
import { dayMs } from "../../../../relay/cadence.ts";
import { groupRecords, type StoredRecord } from "../../../../relay/durable.ts";
import type { Write } from "../../../../relay/effect.ts";
import type { Project } from "../../../../relay/layers/project.ts";
import { censusName } from "../../../../relay/telemetry/census/census-question.ts";
import { censusSlots } from "../../../../relay/telemetry/census/census-slots.ts";
import type { CensusWindows } from "../../../../relay/telemetry/census/census-windows.ts";
import { Censuses } from "../../../../relay/telemetry/census/censuses.ts";

/** Short windows; everything else goes at its real pace. */
export const windows: CensusWindows = { openedMs: 1_000 * dayMs, windowMs: dayMs };

export const census: Census = create(CensusSchema, {
  kind: "FEATURE",
  name: "old-api",
  openedMs: BigInt(windows.openedMs),
  windowMs: BigInt(windows.windowMs),
});

const censuses = new Map([[censusName(census), census]]);

/** As much of a project as a census asks for. */
export const project = { name: "horizon", own: { censuses } } as unknown as Project;

const projects = new Map([[project.name, project]]);

/** The census of one node, and a disk that it is started from anew. */
export class CensusNode {
  readonly name: string;
  census: Censuses;
  isUp = true;
  /** Whether others can hear it, and it them. */
  isCutOff = false;
  runMs: number;
  reportsCount = 0;
  readonly #disk = new Map<string, StoredRecord>();

  constructor(name: string = "n1", wallMs: number = windows.openedMs) {
    this.name = name;
    this.runMs = wallMs;
    this.census = this.#made();
  }

  enroll(wallMs: number, withoutApps: boolean = false): void {
    const of = { project: project.name, isEnrolled: true, withoutApps, wallMs };
    this.keep(this.census.enroll(of));
  }

  /** What the last write did not hold is lost. */
  restart(wallMs: number = this.runMs + 1): void {
    [this.isUp, this.runMs, this.reportsCount] = [true, wallMs, 0];
    this.census = this.#made();
  }

  /** Its disk is lost as well. */
  replace(wallMs: number): void {
    this.#disk.clear();
    this.restart(wallMs);
  }

  look(wallMs: number, present: readonly string[] = []): void {
    this.census.look(projects, wallMs, present);
  }

  hear(report: ReportRequest, of: { wallMs: number; isOwn: boolean }): void {
    this.census.hear(project, report, { ...of, knowsUse: true });
  }

  keep({ writes, accept }: { writes: readonly Write[]; accept: () => void }): void {
    for (const { bucket, key, value } of writes)
      if (value === undefined) this.#disk.delete(`${bucket} ${key}`);
      else this.#disk.set(`${bucket} ${key}`, { bucket, key, value });
    accept();
  }

  /** All that it would tell a peer that has nothing. */
  get told(): SiteRecords {
    const { enrollments, evidence, censusChildren } = this.census.shared;
    return create(SiteRecordsSchema, {
      enrollments: enrollments.map(({ record }) => record),
      evidence: evidence.map(({ record }) => record),
      censusChildren: censusChildren.map(({ record }) => record),
    });
  }

  /** As it comes over a wire. */
  hearSite(records: MessageInitShape<typeof SiteRecordsSchema>, wallMs: number): void {
    const bytes = toBinary(SiteRecordsSchema, create(SiteRecordsSchema, records));
    this.#take(fromBinary(SiteRecordsSchema, bytes), wallMs);
  }

  hearEvidence(evidence: readonly CensusEvidence[], wallMs: number): void {
    this.#take(create(SiteRecordsSchema, { evidence: [...evidence] }), wallMs);
  }

  #take(records: SiteRecords, wallMs: number): void {
    this.keep(this.census.heard(records, { projects, wallMs }));
  }

  /** Of the documents that the site sends up, what is about censuses. */
  document(wallMs: number): Document {
    const slots = censusSlots(this.census, project, { wallMs, sinceMs: 0 });
    return create(DocumentSchema, { project: project.name, kind: "WEIGHTS", census: slots });
  }

  hearChild(child: string, document: Document, wallMs: number): void {
    this.keep(this.census.hearChild(child, document, wallMs));
  }

  answer(window: number, wallMs: number) {
    return this.census.finding(project.name, census, window, wallMs);
  }

  #made(): Censuses {
    const records = groupRecords(this.#disk.values());
    return new Censuses({ censusWindowMsMin: dayMs, name: this.name }, records);
  }
}

/** Some nodes that share a fan-out, which may lose what is said. */
export class CensusSite {
  readonly nodes: readonly CensusNode[];
  readonly #isLost: () => boolean;
  readonly #clockOf: (node: CensusNode, realMs: number) => number;

  constructor(
    nodes: readonly CensusNode[],
    of: {
      isLost?: () => boolean;
      clockOf?: (node: CensusNode, realMs: number) => number;
    } = {},
  ) {
    this.nodes = nodes;
    this.#isLost = of.isLost ?? (() => false);
    this.#clockOf = of.clockOf ?? ((_, realMs) => realMs);
  }

  clock(node: CensusNode, realMs: number): number {
    return this.#clockOf(node, realMs);
  }

  /** An instance reports to one node, which passes it on; who has heard it. */
  report(
    node: CensusNode,
    of: { instance: string; isUsed?: boolean; isLast?: boolean },
    realMs: number,
  ): CensusNode[] {
    const features = of.isUsed === true ? [census.name] : [];
    const { instance, isLast: last = false } = of;
    const said = { project: project.name, instance, last, features };
    const report = create(ReportRequestSchema, said);
    node.hear(report, { wallMs: this.clock(node, realMs), isOwn: true });
    node.reportsCount++;
    return [node, ...this.#speak(node, { case: "report", value: report }, realMs)];
  }

  /** Time passes: all look and say that they live, and now and then write and tell. */
  look(realMs: number, of: { writes: boolean } = { writes: true }): void {
    for (const node of this.up) node.look(this.clock(node, realMs), this.#around(node));
    for (const node of this.up) {
      if (of.writes) this.#write(node, realMs);
      this.#speak(node, { case: undefined }, realMs);
    }
  }

  #write(node: CensusNode, realMs: number): void {
    const due = node.census.due(this.clock(node, realMs));
    node.keep(due);
    if (due.told.length === 0) return;
    for (const other of this.#hearers(node))
      if (!this.#isLost()) other.hearEvidence(due.told, this.clock(other, realMs));
  }

  /** Each compares with the next, and gets what it lacks. */
  compare(realMs: number): void {
    for (const node of this.up)
      for (const other of this.#hearers(node).slice(0, 1))
        node.hearSite(other.told, this.clock(node, realMs));
  }

  /** It is cut off from the others, or is no more: what each has to notice by itself. */
  cut(node: CensusNode, isCutOff: boolean, realMs: number): void {
    node.isCutOff = isCutOff;
    node.census.interrupt(this.clock(node, realMs));
  }

  stop(node: CensusNode, realMs: number): void {
    node.census.stop(this.clock(node, realMs));
    const due = node.census.due(this.clock(node, realMs));
    node.keep(due);
    for (const other of this.#hearers(node))
      other.hearEvidence(due.told, this.clock(other, realMs));
    node.isUp = false;
  }

  get up(): CensusNode[] {
    return this.nodes.filter(({ isUp }) => isUp);
  }

  #hearers(node: CensusNode): CensusNode[] {
    if (node.isCutOff) return [];
    return this.up.filter((other) => other !== node && !other.isCutOff);
  }

  #around(node: CensusNode): string[] {
    return this.#hearers(node).map(({ name }) => name);
  }

  /** Who has heard it. */
  #speak(
    node: CensusNode,
    body: { case: "report"; value: ReportRequest } | { case: undefined },
    realMs: number,
  ): CensusNode[] {
    const hearers = this.#hearers(node).filter(() => !this.#isLost());
    if (hearers.length === 0) return [];
    const [runMs, reportsCount] = [BigInt(Math.floor(node.runMs)), BigInt(node.reportsCount)];
    const message = create(PeerMessageSchema, { node: node.name, runMs, reportsCount, body });
    for (const other of hearers) {
      const wallMs = this.clock(other, realMs);
      other.census.hearPeer(message, wallMs);
      if (body.case === "report") other.hear(body.value, { wallMs, isOwn: false });
    }
    return hearers;
  }
}
