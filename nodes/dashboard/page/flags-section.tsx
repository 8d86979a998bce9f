import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { FlagView, ProjectView } from "./node-view.ts";
import { Note } from "./note.tsx";
import { Section } from "./section.tsx";
import { countText, flagText, percentText } from "./words.ts";

/** Every flag of a project as it comes out here, with what each layer has to say about it. */
export function FlagsSection(of: {
  held: ProjectView;
  project: string;
  onOpen: (flag: string) => void;
  onRelease: (release: string) => void;
}): JSX.Element {
  const [search, setSearch] = useState("");
  const { flags } = of.held;
  const shown = flags.filter(({ name, flag }) =>
    `${name} ${flag?.note ?? ""}`.toLowerCase().includes(search.toLowerCase()),
  );
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
          <div class="filters">
            <label class="search">
              <span class="hidden">Search flags</span>
              <input
                type="search"
                placeholder="Search flags and notes"
                value={search}
                onInput={(event) => setSearch(event.currentTarget.value)}
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
          <ul class="flags">
            {shown.map((view) => (
              <FlagRow key={view.name} view={view} onOpen={of.onOpen} />
            ))}
          </ul>
          {shown.length === 0 && <p class="empty">None has “{search}” in its name or note.</p>}
        </>
      )}
    </Section>
  );
}

function FlagRow({
  view,
  onOpen,
}: {
  view: FlagView;
  onOpen: (flag: string) => void;
}): JSX.Element {
  const { name, flag, explained } = view;
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
