import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type CensusEnrollment,
  CensusEnrollmentSchema,
} from "../../../gen/headwater/v1/store_pb.ts";
import { clockSkewMsMax } from "../../cadence.ts";
import type { Records } from "../../durable.ts";
import type { Write } from "../../effect.ts";
import { type Stamp, stampOf } from "../../site/slices.ts";

/** Whether the site takes part in a project's censuses, as its operator has said last. */
export class Enrollments {
  readonly #said = new Map<string, CensusEnrollment>();

  constructor(records: Records) {
    for (const [project, bytes] of records.get("census-enrollment") ?? [])
      this.accept({ ...fromBinary(CensusEnrollmentSchema, bytes), project });
  }

  /** Undefined where it takes no part. */
  of(project: string): CensusEnrollment | undefined {
    const said = this.#said.get(project);
    return said?.left === false ? said : undefined;
  }

  /** What an operator says now. */
  say(of: {
    project: string;
    isEnrolled: boolean;
    withoutApps: boolean;
    wallMs: number;
  }): CensusEnrollment {
    const { project, withoutApps } = of;
    const now = BigInt(Math.floor(of.wallMs));
    const former = this.#said.get(project)?.saidMs ?? 0n;
    const since = this.of(project)?.sinceMs ?? now;
    return create(CensusEnrollmentSchema, {
      project,
      withoutApps,
      left: !of.isEnrolled,
      // One of a clock that was ahead is to come.
      sinceMs: since < now ? since : now,
      saidMs: now > former ? now : former + 1n,
    });
  }

  /** What the other nodes of the site are to know. */
  get shared(): { record: CensusEnrollment; stamp: Stamp }[] {
    return [...this.#said].map(([project, record]) => {
      return { record, stamp: stampOf(project, versionOf(record)) };
    });
  }

  /**
   * What was said at another node of the site, as far as it is news. Of a time to come it is taken
   * where it says that the site takes part no more, or follows on another such word: it is said by who had
   * a clock that was ahead.
   */
  heard(all: readonly CensusEnrollment[], wallMs: number): CensusEnrollment[] {
    const latestMs = BigInt(Math.ceil(wallMs + clockSkewMsMax));
    return all.filter((one) => {
      const held = this.#said.get(one.project);
      const mayBeToCome = one.left || (held?.saidMs ?? 0n) > latestMs;
      if (!mayBeToCome && (one.saidMs > latestMs || one.sinceMs > latestMs)) return false;
      if (held === undefined || one.saidMs !== held.saidMs)
        return held === undefined || one.saidMs > held.saidMs;
      // Said at two nodes at the same moment: all have to hold the same of them.
      return versionOf(one) > versionOf(held);
    });
  }

  accept(said: CensusEnrollment): void {
    this.#said.set(said.project, said);
  }
}

export function enrollmentWrite(said: CensusEnrollment): Write {
  const value = toBinary(CensusEnrollmentSchema, said);
  return { bucket: "census-enrollment", key: said.project, value };
}

function versionOf({ saidMs, sinceMs, left, withoutApps }: CensusEnrollment): string {
  return `${saidMs} ${sinceMs} ${left} ${withoutApps}`;
}
