import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { CensusSection } from "./census-section.tsx";
import type { Change } from "./change.ts";
import { ConfirmDialog } from "./confirm-dialog.tsx";
import { FlagPanel } from "./flag-panel.tsx";
import { FlagsSection } from "./flags-section.tsx";
import { FleetSection } from "./fleet-section.tsx";
import { HistorySection } from "./history-section.tsx";
import { LeavingSection } from "./leaving-section.tsx";
import { LinksSection } from "./links-section.tsx";
import { useLiveNode } from "./live-node.ts";
import type { NodeClient } from "./node-client.ts";
import type { NodeView } from "./node-view.ts";
import { RolloutsSection } from "./rollouts-section.tsx";
import { Skeleton } from "./skeleton.tsx";
import { Wordmark } from "./wordmark.tsx";
import { agoText } from "./words.ts";

/** Everything about one node, of one project at a time. */
export function NodePage(of: { client: NodeClient; onLeave: (why: string) => void }): JSX.Element {
  const { client } = of;
  const { view, choose, showRelease, search } = useLiveNode(client, of.onLeave);
  const [openFlag, setOpenFlag] = useState<string>();
  const [change, setChange] = useState<Change>();
  const names = view.status?.projects.map((one) => one.project) ?? [];
  const { project, held } = view;
  const flag = held.flags?.find(({ name }) => name === openFlag);
  return (
    <>
      <a class="skip" href="#flags">
        To the flags
      </a>
      <TopBar view={view} project={project} names={names} onChoose={choose} onLeave={of.onLeave} />
      <main>
        {view.link === "lost" && (
          <p class="notice bad" role="alert">
            {view.problem} What is shown is what it last said; trying again.
          </p>
        )}
        <Problems problems={view.status?.problems ?? []} />
        {view.status === undefined ? (
          <Skeleton />
        ) : names.length === 0 ? (
          <NoProject />
        ) : (
          <>
            <FlagsSection
              held={held}
              project={project}
              freshness={freshnessOf(view)}
              search={view.search}
              onOpen={setOpenFlag}
              onRelease={showRelease}
              onSearch={search}
            />
            <RolloutsSection view={view} project={project} onChange={setChange} />
            <FleetSection held={held} project={project} />
            <CensusSection censuses={held.censuses} />
            <LinksSection status={view.status} />
            <LeavingSection client={client} project={project} status={view.status} />
            <HistorySection records={view.audit} />
          </>
        )}
      </main>
      {flag !== undefined && (
        <FlagPanel
          key={flag.name}
          view={flag}
          held={held}
          client={client}
          audit={view.audit}
          onChange={setChange}
          onClose={() => setOpenFlag(undefined)}
        />
      )}
      {change !== undefined && (
        <ConfirmDialog change={change} client={client} onClose={() => setChange(undefined)} />
      )}
    </>
  );
}

function freshnessOf({ status, project }: NodeView): string {
  return status?.projects.find((one) => one.project === project)?.freshness ?? "";
}

const sections = [
  ["flags", "Flags"],
  ["fleet", "Fleet"],
  ["links", "Links"],
  ["leaving", "What leaves"],
  ["history", "History"],
] as const;

function TopBar(of: {
  view: NodeView;
  project: string;
  names: readonly string[];
  onChoose: (project: string) => void;
  onLeave: (why: string) => void;
}): JSX.Element {
  const { status, link } = of.view;
  const words = { connecting: "connecting", live: "live", lost: "not reached" };
  return (
    <header class="top">
      <div class="row">
        <Wordmark />
        {status !== undefined && (
          <span class="who">
            <h1>{status.node}</h1>
            <span class="quiet">
              {" "}
              of site {status.site}, up {agoText(Number(status.startedMs))}
            </span>
          </span>
        )}
        <span class={`state ${link}`} role="status">
          {words[link]}
        </span>
        <button class="plain" type="button" onClick={() => of.onLeave("")}>
          Leave
        </button>
      </div>
      <div class="row">
        <nav aria-label="Sections">
          {sections.map(([id, title]) => (
            <a key={id} href={`#${id}`}>
              {title}
            </a>
          ))}
        </nav>
        {of.names.length > 1 && (
          <label class="project">
            Project{" "}
            <select value={of.project} onChange={(event) => of.onChoose(event.currentTarget.value)}>
              {of.names.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        )}
      </div>
    </header>
  );
}

function Problems({ problems }: { problems: readonly string[] }): JSX.Element | null {
  if (problems.length === 0) return null;
  return (
    <section class="notice warn" aria-label="Problems">
      <ul>
        {problems.map((problem) => (
          <li key={problem}>{problem}</li>
        ))}
      </ul>
    </section>
  );
}

function NoProject(): JSX.Element {
  return (
    <section class="card empty">
      <h2>No project yet</h2>
      <p>
        At a root, <code>headwater init PROJECT</code> makes one. At a vendor or a site,{" "}
        <code>headwater join TOKEN</code> brings those of the parent.
      </p>
    </section>
  );
}
