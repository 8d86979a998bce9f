import type { JSX } from "preact";
import type { Rollout } from "../../../gen/headwater/v1/rollouts_pb.ts";
import type { Change } from "./change.ts";
import type { NodeView } from "./node-view.ts";
import { Section } from "./section.tsx";
import { agoText, countText, percentText } from "./words.ts";

/** Ramps that go on by themselves: where they are, why, and how to stop them. */
export function RolloutsSection(of: {
  view: NodeView;
  project: string;
  onChange: (change: Change) => void;
}): JSX.Element | null {
  const rollouts = of.view.rollouts.filter(({ project }) => project === of.project);
  if (rollouts.length === 0) return null;
  const running = rollouts.filter(({ state }) => state === "RUNNING").length;
  return (
    <Section id="rollouts" title="Rollouts" aside={`${countText(running, "rollout")} under way`}>
      <ul class="plain-list">
        {rollouts.map((rollout) => (
          <Ramp key={rollout.flag} rollout={rollout} onChange={of.onChange} />
        ))}
      </ul>
    </Section>
  );
}

const tones: Readonly<Record<string, string>> = {
  RUNNING: "good",
  DONE: "good",
  PAUSED: "warn",
  HALTED: "bad",
};

function Ramp(of: { rollout: Rollout; onChange: (change: Change) => void }): JSX.Element {
  const { project, flag, plan, state, step, reason, stepStartedMs } = of.rollout;
  const actions = actionsIn(state);
  return (
    <li class="ramp-row">
      <span class="name">{flag}</span>
      <span class={`chip ${tones[state] ?? ""}`}>{state.toLowerCase()}</span>
      <ol class="steps" aria-label={`Steps of ${flag}`}>
        {(plan?.steps ?? []).map(({ basisPoints }, at) => (
          <li key={basisPoints} aria-current={at === step ? "step" : undefined}>
            {percentText(basisPoints)}
          </li>
        ))}
      </ol>
      <span class="buttons">
        {actions.map((action) => (
          <button
            key={action}
            class={action === "ABORT" ? "danger" : ""}
            type="button"
            onClick={() => of.onChange(changeOf({ project, flag, state, action }))}
          >
            {titles[action]}
          </button>
        ))}
      </span>
      <p class="quiet">
        at this step for {agoText(Number(stepStartedMs))}
        {reason !== "" && `; ${reason}`}
      </p>
    </li>
  );
}

const titles = { PAUSE: "Pause", RESUME: "Resume", ABORT: "Abort" } as const;

type Action = keyof typeof titles;

function actionsIn(state: string): Action[] {
  if (state === "RUNNING") return ["PAUSE", "ABORT"];
  return state === "PAUSED" || state === "HALTED" ? ["RESUME", "ABORT"] : [];
}

const outcomes = { PAUSE: "paused", RESUME: "running", ABORT: "aborted" } as const;

function changeOf(of: { project: string; flag: string; state: string; action: Action }): Change {
  const { project, flag, state, action } = of;
  return {
    title: `Rollout of ${project}/${flag}`,
    before: state.toLowerCase(),
    after: outcomes[action],
    consequence: "The flag stays at its percentage; only what comes next changes.",
    isDangerous: action === "ABORT",
    run: async (client) => {
      await client.rollouts.changeRollout({ project, flag, action });
    },
  };
}
