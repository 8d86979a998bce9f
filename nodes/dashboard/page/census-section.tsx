import type { JSX } from "preact";
import type {
  CensusStanding,
  ListCensusesResponse,
} from "../../../gen/headwater/v1/censuses_pb.ts";
import { Section } from "./section.tsx";
import { timeText } from "./words.ts";

/** What is asked of everybody who takes part, and what they have answered. */
export function CensusSection(of: {
  censuses: ListCensusesResponse | undefined;
}): JSX.Element | null {
  if (of.censuses === undefined || of.censuses.censuses.length === 0) return null;
  const { censuses, enrolled } = of.censuses;
  return (
    <Section
      id="census"
      title="Census"
      aside={enrolled ? "this site takes part" : "this site takes no part"}
    >
      <ul class="plain-list">
        {censuses.map((census) => (
          <Question key={census.key} census={census} />
        ))}
      </ul>
    </Section>
  );
}

const tones: Readonly<Record<string, string>> = { UNUSED: "good", UNKNOWN: "warn" };

function Question({ census }: { census: CensusStanding }): JSX.Element {
  const [result] = census.results;
  const answer = result?.answer ?? "UNKNOWN";
  return (
    <li class="ramp-row">
      <span class="name">{questionText(census)}</span>
      <span class={`chip ${tones[answer] ?? ""}`}>{answer.toLowerCase()}</span>
      <p class="quiet">
        {census.problem || result?.reason || "no window of it is over yet"}
        {result !== undefined && `; window until ${timeText(Number(result.endMs))}`}
      </p>
    </li>
  );
}

function questionText({ kind, name }: CensusStanding): string {
  if (kind === "BELOW") return `anything older than ${name}`;
  return `${kind.toLowerCase()} ${name}`;
}
