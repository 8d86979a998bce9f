import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { ReportRequest } from "../../gen/headwater/v1/apps_pb.ts";
import { type CrashSightings, CrashSightingsSchema } from "../../gen/headwater/v1/store_pb.ts";
import { dayMs, secondMs, writeIntervalMs } from "../cadence.ts";
import type { Records } from "../durable.ts";
import type { Write } from "../effect.ts";
import { isCrashSignature } from "../flag/crash-name.ts";
import type { Project } from "../layers/project.ts";
import { crashInstancesMax, crashSightingsMax, unlistedCrashesMax } from "../limits.ts";
import { deriveSecret, sha256 } from "../trust/key.ts";

/** For so long an instance counts as one that has crashed so. */
const rememberedMs = 7 * dayMs;

/** From so many distinct instances on a crash is spoken of at all. */
export const crashInstancesMin = 3;

const idBytes = 6;
const sightingBytes = idBytes + 4;

/** When each instance, by a hash of its id, last reported a crash. */
interface Sightings {
  readonly atSeconds: Map<number, number>;
  isChanged: boolean;
}

/**
 * Which instances have crashed how. A process that crashes starts again and knows nothing of it,
 * so it is remembered here. Only signatures that the project's ledger lists may leave; of others as
 * many are kept as an operator looks at.
 */
export class Crashes {
  /** Instance ids are kept as a hash, which means nothing outside this site. */
  readonly #salt: Uint8Array;
  /** By project, then signature. */
  readonly #projects = new Map<string, Map<string, Sightings>>();
  #sightingsCount = 0;
  #writtenMs = Number.NEGATIVE_INFINITY;

  constructor(siteSecret: Uint8Array, records: Records) {
    this.#salt = deriveSecret({ secret: siteSecret, purpose: "instances of crashes" });
    for (const bytes of records.get("crash")?.values() ?? [])
      this.#restore(fromBinary(CrashSightingsSchema, bytes));
  }

  take(project: Project, report: ReportRequest, wallMs: number): void {
    if (report.crashes.length === 0) return;
    const instance = this.#idOf(report.project, report.instance);
    for (const signature of new Set(report.crashes.filter(isCrashSignature))) {
      const sightings = this.#sightings(project, signature);
      if (sightings !== undefined) this.#see(sightings, instance, Math.floor(wallMs / secondMs));
    }
  }

  /** How an instance has crashed since a time, as far as it is remembered. */
  of(project: string, instance: string, sinceMs: number): string[] {
    const all = this.#projects.get(project);
    if (all === undefined || all.size === 0) return [];
    const id = this.#idOf(project, instance);
    return [...all].flatMap(([signature, { atSeconds }]) =>
      (atSeconds.get(id) ?? -1) * secondMs >= sinceMs ? signature : [],
    );
  }

  /** Whether an instance is remembered as having crashed at all. */
  hasAny(project: string, instance: string): boolean {
    return this.of(project, instance, 0).length > 0;
  }

  /** How many instances have crashed how, the most common first: for this site's operator. */
  counts(project: string): { signature: string; instancesCount: number }[] {
    return [...(this.#projects.get(project) ?? [])]
      .map(([signature, { atSeconds }]) => ({ signature, instancesCount: atSeconds.size }))
      .sort((one, other) => other.instancesCount - one.instancesCount);
  }

  /** What is to be written now and then; what nobody has reported for seven days goes. */
  due(wallMs: number): { writes: Write[]; accept: () => void } {
    if (Math.abs(wallMs - this.#writtenMs) < writeIntervalMs)
      return { writes: [], accept: () => {} };
    this.#forget(wallMs);
    const changed = [...this.#projects].flatMap(([project, all]) =>
      [...all].flatMap(([signature, sightings]) =>
        sightings.isChanged ? [{ project, signature, sightings }] : [],
      ),
    );
    return {
      writes: changed.map(({ project, signature, sightings }): Write => {
        const isGone = sightings.atSeconds.size === 0;
        const value = isGone ? undefined : bytesOf(project, signature, sightings);
        return { bucket: "crash", key: `${project} ${signature}`, value };
      }),
      accept: () => {
        this.#writtenMs = wallMs;
        for (const { project, signature, sightings } of changed) {
          sightings.isChanged = false;
          if (sightings.atSeconds.size === 0) this.#projects.get(project)?.delete(signature);
        }
      },
    };
  }

  /** Undefined when there is no room for one more: of all, or of those that the ledger does not list. */
  #sightings(project: Project, signature: string): Sightings | undefined {
    const all = this.#projects.get(project.name) ?? new Map<string, Sightings>();
    const held = all.get(signature);
    if (held !== undefined) return held;
    if (this.#sightingsCount >= crashSightingsMax) return undefined;
    const { crashes: listed } = project.own;
    const unlisted = [...all.keys()].filter((one) => !listed.has(one));
    if (!listed.has(signature) && unlisted.length >= unlistedCrashesMax) return undefined;
    const sightings = { atSeconds: new Map<number, number>(), isChanged: false };
    this.#projects.set(project.name, all.set(signature, sightings));
    return sightings;
  }

  #see(sightings: Sightings, instance: number, atSeconds: number): void {
    const isNew = !sightings.atSeconds.has(instance);
    const isFull = sightings.atSeconds.size >= crashInstancesMax;
    if (isNew && (isFull || this.#sightingsCount >= crashSightingsMax)) return;
    if (isNew) this.#sightingsCount++;
    sightings.atSeconds.set(instance, atSeconds);
    sightings.isChanged = true;
  }

  #forget(wallMs: number): void {
    const oldest = (wallMs - rememberedMs) / secondMs;
    for (const all of this.#projects.values())
      for (const sightings of all.values())
        for (const [instance, at] of sightings.atSeconds)
          if (at < oldest) {
            sightings.atSeconds.delete(instance);
            sightings.isChanged = true;
            this.#sightingsCount--;
          }
  }

  #restore({ project, signature, instances }: CrashSightings): void {
    const bytes = Buffer.from(instances);
    const atSeconds = new Map<number, number>();
    for (let at = 0; at + sightingBytes <= bytes.length; at += sightingBytes)
      atSeconds.set(bytes.readUIntBE(at, idBytes), bytes.readUInt32BE(at + idBytes));
    const all = this.#projects.get(project) ?? new Map<string, Sightings>();
    this.#projects.set(project, all.set(signature, { atSeconds, isChanged: false }));
    this.#sightingsCount += atSeconds.size;
  }

  #idOf(project: string, instance: string): number {
    const text = new TextEncoder().encode(`${project} ${instance}`);
    return Buffer.from(sha256(this.#salt, text)).readUIntBE(0, idBytes);
  }
}

function bytesOf(project: string, signature: string, { atSeconds }: Sightings): Uint8Array {
  const instances = Buffer.alloc(atSeconds.size * sightingBytes);
  let at = 0;
  for (const [instance, seconds] of atSeconds) {
    instances.writeUIntBE(instance, at, idBytes);
    instances.writeUInt32BE(seconds, at + idBytes);
    at += sightingBytes;
  }
  return toBinary(
    CrashSightingsSchema,
    create(CrashSightingsSchema, { project, signature, instances }),
  );
}
