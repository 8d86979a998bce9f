import type { JSX } from "preact";
import type { Flag } from "../../../gen/headwater/v1/flag_pb.ts";
import type { ExplainResponse } from "../../../gen/headwater/v1/nodes_pb.ts";
import { type FlagView, flagsFound, type ProjectView } from "./node-view.ts";
import { Note } from "./note.tsx";
import { Section } from "./section.tsx";
import { Skeleton } from "./skeleton.tsx";
import { countText, flagText, percentText } from "./words.ts";

/** Every flag of a project as it comes out here, with what each layer has to say about it. */
export function FlagsSection(of: {
  held: ProjectView;
  project: string;
  /** How sure this node is of what it holds, in the protocol's word. */
  freshness: string;
  search: string;
  onOpen: (flag: string) => void;
  onRelease: (release: string) => void;
  onSearch: (text: string) => void;
}): JSX.Element {
  const { search } = of;
  const { flags, explained, unexplained } = of.held;
  if (flags === undefined)
    return (
      <Section id="flags" title="Flags">
        <Skeleton />
      </Section>
    );
  const { found, drawn } = flagsFound(flags, search);
  const killedCount = flags.filter(({ flag }) => flag?.kill !== undefined).length;
  const killed = killedCount === 0 ? "" : `, ${killedCount} killed`;
  return (
    <Section
      id="flags"
      title="Flags"
      aside={`${countText(flags.length, "flag")} of ${of.project}${killed}`}
    >
      {(of.freshness === "STALE" || of.freshness === "EXPIRED") && (
        <p class="notice warn">
          {of.freshness === "STALE" ? "Stale" : "Expired"}: nobody who may has confirmed these flags
          for a while, so there may be newer ones. Apps go on with them; under Links stands what is
          in the way.
        </p>
      )}
      {flags.length === 0 ? (
        <p class="empty">
          None yet. <code>headwater flag set {of.project}/NAME 5%</code> makes the first.
        </p>
      ) : (
        <>
          <Filters held={of.held} search={search} onSearch={of.onSearch} onRelease={of.onRelease} />
          <ul class="flags">
            {drawn.map((view) => (
              <FlagRow
                key={view.name}
                view={view}
                explained={explained.get(view.name)}
                problem={unexplained.get(view.name)}
                onOpen={of.onOpen}
              />
            ))}
          </ul>
          <p class="quiet found" role="status">
            {foundText({ search, foundCount: found.length, drawnCount: drawn.length })}
          </p>
        </>
      )}
    </Section>
  );
}

function Filters(of: {
  held: ProjectView;
  search: string;
  onRelease: (release: string) => void;
  onSearch: (text: string) => void;
}): JSX.Element {
  return (
    <div class="filters">
      <label class="search">
        <span class="hidden">Search flags</span>
        <input
          type="search"
          placeholder="Search flags and notes"
          value={of.search}
          onInput={(event) => of.onSearch(event.currentTarget.value)}
        />
      </label>
      <label class="quiet">
        for builds of{" "}
        <select
          value={of.held.release}
          onChange={(event) => of.onRelease(event.currentTarget.value)}
        >
          {of.held.releases.toReversed().map((release) => (
            <option key={release} value={release}>
              {release}
            </option>
          ))}
          <option value="">no published release</option>
        </select>
      </label>
    </div>
  );
}

/** What the list does not show by itself. */
function foundText(of: { search: string; foundCount: number; drawnCount: number }): string {
  const { search, foundCount, drawnCount } = of;
  if (foundCount === 0) return `None has “${search}” in its name or note.`;
  if (foundCount > drawnCount)
    return `These are the first ${drawnCount} of ${foundCount}: search finds the others.`;
  return search === "" ? "" : `${countText(foundCount, "flag")} found.`;
}

function FlagRow({
  view,
  explained,
  problem,
  onOpen,
}: {
  view: FlagView;
  explained: ExplainResponse | undefined;
  problem: string | undefined;
  onOpen: (flag: string) => void;
}): JSX.Element {
  const { name, flag } = view;
  const { basisPoints, share, chip, reason } = outcomeOf({ flag, explained, problem });
  const overlays = explained?.parts.filter((part) => !part.own && part.says !== "") ?? [];
  return (
    <li>
      <button class="flag" type="button" onClick={() => onOpen(name)}>
        <span class="name">{name}</span>
        <span class="share">
          <span class={`meter ${reason.toLowerCase()}`} aria-hidden="true">
            <span style={{ width: `${basisPoints / 100}%` }} />
          </span>
          <span class="number">{share}</span>
        </span>
        <span class="says">
          <span class={`chip ${chip.tone}`}>{chip.text}</span>
          <span class="layer">
            <b>project</b> {flagText(flag)}
          </span>
          {overlays.map((part) => (
            <span class="layer overlay" key={part.authority.join()}>
              <b>{part.writable ? "this site" : "overlay"}</b> {part.says}
            </span>
          ))}
        </span>
      </button>
      {problem !== undefined && <p class="note problem">{notKnownText(problem)}</p>}
      <Note text={flag?.note ?? ""} />
    </li>
  );
}

interface Outcome {
  readonly basisPoints: number;
  /** The percentage in words; a dash where nobody knows it. */
  readonly share: string;
  readonly reason: string;
  readonly chip: { readonly text: string; readonly tone: string };
}

/** What a flag comes out as here; until the answer has come what its project says stands for it. */
export function outcomeOf(of: {
  flag: Flag | undefined;
  explained: ExplainResponse | undefined;
  problem: string | undefined;
}): Outcome {
  if (of.problem !== undefined)
    return { basisPoints: 0, share: "–", reason: "", chip: { text: "not known", tone: "warn" } };
  const { basisPoints = of.flag?.basisPoints ?? 0, reason = "" } = of.explained?.effective ?? {};
  const text = reason === "" ? "…" : reason.toLowerCase().replaceAll("_", " ");
  return {
    basisPoints,
    share: percentText(basisPoints),
    reason,
    chip: { text, tone: toneOf(reason) },
  };
}

export function notKnownText(problem: string): string {
  return `What it comes out as here is not known. ${problem}`;
}

function toneOf(reason: string): string {
  if (reason === "KILLED" || reason === "NOT_UNDERSTOOD") return "bad";
  if (reason === "CAPPED" || reason === "PINNED") return "warn";
  return reason === "FULL" || reason === "ROLLOUT" ? "good" : "";
}
