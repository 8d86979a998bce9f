import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { HistoryRecord } from "../../../gen/headwater/v1/ledgers_pb.ts";
import type { ExplainResponse } from "../../../gen/headwater/v1/nodes_pb.ts";
import type { Change } from "./change.ts";
import { FlagActions } from "./flag-actions.tsx";
import { notKnownText, outcomeOf } from "./flags-section.tsx";
import { Modal } from "./modal.tsx";
import type { NodeClient } from "./node-client.ts";
import { type FlagView, flagOf, type ProjectView } from "./node-view.ts";
import { Note } from "./note.tsx";
import { RampChart, type RampStep } from "./ramp-chart.tsx";

const historyLength = 200;

/** One flag: what it is and why, how it came there, and what can be done about it here. */
export function FlagPanel(of: {
  view: FlagView;
  held: ProjectView;
  client: NodeClient;
  /** A change here is a reason to look at the flag's history again. */
  audit: readonly HistoryRecord[];
  onChange: (change: Change) => void;
  onClose: () => void;
}): JSX.Element {
  const { view, client } = of;
  const { project, name, flag } = view;
  const explained = of.held.explained.get(name);
  const [steps, setSteps] = useState<readonly RampStep[]>([]);
  useEffect(() => {
    let isLast = true;
    client.ledgers
      .listHistory({ project, key: `flag/${name}`, limit: historyLength })
      .then(({ records }) => isLast && setSteps(stepsOf(records)))
      .catch(() => isLast && setSteps([]));
    return () => {
      isLast = false;
    };
  }, [client, project, name, of.audit]);
  const problem = of.held.unexplained.get(name);
  const { share, chip } = outcomeOf({ flag, explained, problem });
  return (
    <Modal label={`Flag ${project}/${name}`} kind="panel" onClose={of.onClose}>
      <header>
        <h2>{name}</h2>
        <button class="plain" type="button" aria-label="Close" onClick={of.onClose}>
          ✕
        </button>
      </header>
      <p class="headline">
        <span class="big">{share}</span>
        <span class={`chip ${chip.tone}`}>{chip.text}</span>
        <span class="quiet">for builds of {of.held.release || "no published release"}</span>
      </p>
      {problem !== undefined && <p class="note problem">{notKnownText(problem)}</p>}
      <Note text={flag?.note ?? ""} />
      <h3>Layers</h3>
      <Layers parts={explained?.parts ?? []} />
      {steps.length > 0 && (
        <>
          <h3>Ramp</h3>
          <RampChart steps={steps} nowMs={Date.now()} />
        </>
      )}
      <FlagActions view={view} held={of.held} onChange={of.onChange} />
    </Modal>
  );
}

/** What each layer says of the flag, and where it is from. */
function Layers(of: { parts: ExplainResponse["parts"] }): JSX.Element {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">layer</th>
          <th scope="col">says</th>
          <th scope="col">from</th>
        </tr>
      </thead>
      <tbody>
        {of.parts.map((part) => (
          <tr key={part.authority.join()}>
            <th scope="row">{part.own ? "project" : "overlay"}</th>
            <td>
              {part.says || "nothing"}
              {part.note !== "" && !part.own && <span class="quiet"> {part.note}</span>}
            </td>
            <td class="quiet">{part.writable ? "written here" : part.primary}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** From newest first to oldest first, what each change made of the flag. */
function stepsOf(records: readonly HistoryRecord[]): RampStep[] {
  return records.toReversed().map(({ atMs, after }) => {
    const flag = flagOf(after);
    const shares = flag?.rollout.map((step) => step.basisPoints) ?? [];
    const basisPoints = Math.max(flag?.basisPoints ?? 0, ...shares);
    return { atMs: Number(atMs), basisPoints, isKilled: flag?.kill !== undefined };
  });
}
