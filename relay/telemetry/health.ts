import { create } from "@bufbuild/protobuf";
import type { ReportRequest } from "../../gen/headwater/v1/apps_pb.ts";
import { type Health, HealthSchema, type Weights } from "../../gen/headwater/v1/telemetry_pb.ts";
import { compareVersions, parseVersion } from "../flag/version.ts";
import { comparePositions } from "../ledger/position.ts";
import { type HealthCounts, joinVerdicts, judge, verdicts } from "./verdict.ts";
import type { Vocabulary } from "./vocabulary.ts";
import { byName, weigh, whole } from "./weights.ts";

interface TermSeq {
  readonly term: number;
  readonly seq: number;
}

/** Each release against the one before it, from the reports of one's own apps. */
export function ownHealth(
  reports: readonly ReportRequest[],
  vocabulary: Vocabulary,
  position: TermSeq,
): Health {
  const counts = countsOf(weigh(reports, vocabulary));
  const ordered = inOrder(vocabulary.releases);
  const before = new Map(ordered.map((release, index) => [release, ordered[index - 1]]));
  const releases = vocabulary.releases.map((release) => {
    const own = counts.get(release);
    const former = counts.get(before.get(release) ?? "");
    const verdict = own === undefined || former === undefined ? "INSUFFICIENT" : judge(own, former);
    return { release, judgement: verdicts.indexOf(verdict) };
  });
  return create(HealthSchema, {
    releases,
    arrival: { term: position.term, seq: position.seq, basisPoints: whole },
  });
}

/** What several reporters' health comes to; arrival is at `position` or newer. */
export function joinHealth(
  all: readonly Health[],
  vocabulary: Vocabulary,
  position: TermSeq,
): Health {
  const known = all.map(
    ({ releases: list }) => new Map(list.map(({ release, judgement = 0 }) => [release, judgement])),
  );
  const releases = vocabulary.releases.map((release) => {
    const judgements = known.map((one) => verdicts[one.get(release) ?? 0] ?? "INSUFFICIENT");
    return { release, judgement: verdicts.indexOf(joinVerdicts(judgements)) };
  });
  const arrived = all.map(({ arrival }) => {
    if (arrival === undefined) return 0;
    const at = { term: arrival.term ?? 0, seq: arrival.seq ?? 0 };
    return comparePositions(at, position) < 0 ? 0 : Math.min(whole, arrival.basisPoints ?? 0);
  });
  const share = arrived.reduce((total, one) => total + one, 0) / Math.max(1, all.length);
  return create(HealthSchema, {
    releases,
    arrival: { term: position.term, seq: position.seq, basisPoints: Math.round(share) },
  });
}

/** Releases that are versions, oldest first. */
function inOrder(releases: readonly string[]): string[] {
  return releases
    .flatMap((name) => {
      const version = parseVersion(name);
      return version === undefined ? [] : [{ name, version }];
    })
    .sort((a, b) => compareVersions(a.version, b.version))
    .map(({ name }) => name);
}

function countsOf({ releases, degraded, failed }: Weights): Map<string, HealthCounts> {
  const [unwell, broken] = [byName(degraded), byName(failed)];
  return new Map(
    releases.map(({ name, count = 0 }) => [
      name,
      {
        instances: count,
        degraded: unwell.get(name)?.count ?? 0,
        failed: broken.get(name)?.count ?? 0,
      },
    ]),
  );
}
