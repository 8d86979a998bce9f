import type { JSX } from "preact";
import type { Weight } from "../../../gen/headwater/v1/telemetry_pb.ts";
import { AreaChart } from "./area-chart.tsx";
import type { ProjectView } from "./node-view.ts";
import { Section } from "./section.tsx";
import { countText, percentText } from "./words.ts";

/** What telemetry says: releases over time, how they do, which flags are on. */
export function FleetSection({
  held,
  project,
}: {
  held: ProjectView;
  project: string;
}): JSX.Element {
  const { fleet, samples, isTelemetryOff } = held;
  if (isTelemetryOff)
    return (
      <Section id="fleet" title="Fleet">
        <p class="empty">
          Telemetry is off at this node (<code>HEADWATER_TELEMETRY</code>): it takes no reports, and
          tells nobody anything.
        </p>
      </Section>
    );
  if (fleet === undefined || fleet.reportersCount === 0)
    return (
      <Section id="fleet" title="Fleet">
        <p class="empty">
          Nobody has reported yet. Apps report to their node by themselves; what sites below tell is
          theirs to choose (<code>headwater telemetry disclose</code>).
        </p>
      </Section>
    );
  const sites = countText(fleet.reportersCount, "site");
  const age =
    fleet.windowsOldMax === 0
      ? ""
      : `; the oldest is ${countText(fleet.windowsOldMax, "window")} old`;
  const coarse =
    fleet.releasesOnlyCount === 0
      ? ""
      : `; of ${fleet.releasesOnlyCount} of them only the most common release is known`;
  return (
    <Section
      id="fleet"
      title="Fleet"
      aside={`share of reporting sites: ${sites}${fleet.own ? ", own apps among them" : ""}${age}${coarse}`}
    >
      <AreaChart
        title={`Releases of ${project} over time`}
        points={samples.map(({ atMs, weights }) => ({
          atMs: Number(atMs),
          shares: new Map((weights?.releases ?? []).map((one) => [one.name, one.basisPoints ?? 0])),
        }))}
      />
      <div class="columns">
        <Verdicts held={held} />
        <Shares title="Flags on" weights={fleet.weights?.flags ?? []} />
        <Shares title="Degraded" weights={fleet.weights?.degraded ?? []} tone="warn" />
        <Shares title="Failed" weights={fleet.weights?.failed ?? []} tone="bad" />
        <Shares title="Crashes" weights={fleet.weights?.crashes ?? []} tone="bad" />
        {fleet.weights?.releasesOnly === 1 && (
          <div>
            <h3>Not known</h3>
            <p class="quiet">
              Which flags are on, and how many are degraded, have failed or crashed: whoever runs it
              says only its most common release.
            </p>
          </div>
        )}
      </div>
    </Section>
  );
}

/** By the numbers on the wire. */
const judgements = [
  ["insufficient", ""],
  ["ok", "good"],
  ["degraded", "warn"],
  ["bad", "bad"],
] as const;

function Verdicts({ held }: { held: ProjectView }): JSX.Element {
  const { health, weights } = held.fleet ?? {};
  const shares = new Map((weights?.releases ?? []).map((one) => [one.name, one.basisPoints ?? 0]));
  const verdicts = health?.releases ?? [];
  const arrival = health?.arrival;
  return (
    <div>
      <h3>Verdicts</h3>
      {verdicts.length === 0 && <p class="quiet">No release to judge.</p>}
      <ul class="shares">
        {verdicts.map(({ release, judgement = 0 }) => {
          const [words, tone] = judgements[judgement] ?? ["not understood", ""];
          return (
            <li key={release}>
              <span class="name">{release}</span>
              <span class={`chip ${tone}`}>{words}</span>
              <span class="number">{percentText(shares.get(release) ?? 0)}</span>
            </li>
          );
        })}
      </ul>
      {arrival !== undefined && (
        <p class="quiet">
          Change {arrival.term}.{arrival.seq} is held by {percentText(arrival.basisPoints ?? 0)} of
          sites.
        </p>
      )}
    </div>
  );
}

function Shares(of: {
  title: string;
  weights: readonly Weight[];
  tone?: string;
}): JSX.Element | null {
  const shown = of.weights.filter(({ basisPoints = 0 }) => basisPoints > 0);
  if (shown.length === 0) return null;
  return (
    <div>
      <h3>{of.title}</h3>
      <ul class="shares">
        {shown.map(({ name, basisPoints = 0 }) => (
          <li key={name}>
            <span class="name">{name}</span>
            <span class={`meter ${of.tone ?? ""}`} aria-hidden="true">
              <span style={{ width: `${basisPoints / 100}%` }} />
            </span>
            <span class="number">{percentText(basisPoints)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
