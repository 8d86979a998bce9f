import type { JSX } from "preact";
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
  search: string;
  onOpen: (flag: string) => void;
  onRelease: (release: string) => void;
  onSearch: (text: string) => void;
}): JSX.Element {
  const { search } = of;
  const { flags, explained } = of.held;
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
  onOpen,
}: {
  view: FlagView;
  explained: ExplainResponse | undefined;
  onOpen: (flag: string) => void;
}): JSX.Element {
  const { name, flag } = view;
  const basisPoints = explained?.effective?.basisPoints ?? flag?.basisPoints ?? 0;
  const reason = explained?.effective?.reason ?? "";
  const overlays = explained?.parts.filter((part) => !part.own && part.says !== "") ?? [];
  return (
    <li>
      <button class="flag" type="button" onClick={() => onOpen(name)}>
        <span class="name">{name}</span>
        <span class="share">
          <span class={`meter ${reason.toLowerCase()}`} aria-hidden="true">
            <span style={{ width: `${basisPoints / 100}%` }} />
          </span>
          <span class="number">{percentText(basisPoints)}</span>
        </span>
        <span class="says">
          <span class={`chip ${chipOf(reason)}`}>{reasonText(reason)}</span>
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
      <Note text={flag?.note ?? ""} />
    </li>
  );
}

export function reasonText(reason: string): string {
  return reason === "" ? "…" : reason.toLowerCase().replaceAll("_", " ");
}

export function chipOf(reason: string): string {
  if (reason === "KILLED" || reason === "NOT_UNDERSTOOD") return "bad";
  if (reason === "CAPPED" || reason === "PINNED") return "warn";
  return reason === "FULL" || reason === "ROLLOUT" ? "good" : "";
}
