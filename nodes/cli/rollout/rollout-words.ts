import type { Rollout } from "../../../gen/headwater/v1/rollouts_pb.ts";
import { formatDuration } from "../../../relay/duration.ts";
import { formatPercent } from "../../../relay/flag/percent.ts";
import { formatTable } from "../output.ts";
import type { Color, Terminal } from "../terminal.ts";

const colors: Readonly<Record<string, Color>> = {
  RUNNING: "cyan",
  PAUSED: "yellow",
  HALTED: "red",
  DONE: "green",
  ABORTED: "dim",
};

export function stateText(state: string, terminal: Pick<Terminal, "paint">): string {
  return terminal.paint(colors[state] ?? "dim", state.toLowerCase());
}

/** Where it is: the present step's percentage. */
export function stepText({ plan, step }: Rollout): string {
  return formatPercent(plan?.steps[step]?.basisPoints ?? 0);
}

/** A rollout with all its steps. */
export function rolloutText(
  rollout: Rollout,
  { terminal, wallMs }: { terminal: Terminal; wallMs: number },
): string {
  const { project, flag, plan, state, step, reason } = rollout;
  const rows = (plan?.steps ?? []).map(({ basisPoints, dwellMs }, at) => [
    at === step ? "  >" : "   ",
    formatPercent(basisPoints),
    `at least ${formatDuration(Number(dwellMs))}`,
    at === step ? `for ${formatDuration(Math.max(0, wallMs - Number(rollout.stepStartedMs)))}` : "",
  ]);
  const head = `${terminal.paint("bold", `${project}/${flag}`)}  ${stateText(state, terminal)}`;
  return `${head}: ${reason}\n${formatTable({ head: [], rows, terminal })}`;
}
