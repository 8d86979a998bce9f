import type { Flag, Rule } from "../../../gen/headwater/v1/flag_pb.ts";

/** `12.5 %`, from basis points. */
export function percentText(basisPoints: number): string {
  return `${basisPoints / 100} %`;
}

/** Basis points of what was typed; undefined for what is no percentage. */
export function basisPointsOf(text: string): number | undefined {
  const percent = Number(text.replace("%", "").replace(",", ".").trim());
  const basisPoints = Math.round(percent * 100);
  if (text.trim() === "" || !(basisPoints >= 0 && basisPoints <= 10_000)) return undefined;
  return basisPoints;
}

function rangeText(versions: string): string {
  return versions === "" || versions === "*" ? "every build" : versions;
}

/** What the project says about a flag, on one line. */
export function flagText(flag: Flag | undefined): string {
  if (flag === undefined) return "not understood";
  const steps = flag.rollout.map(
    ({ versions, basisPoints }) => `${percentText(basisPoints)} of ${rangeText(versions)}`,
  );
  const percent = steps.length === 0 ? percentText(flag.basisPoints) : steps.join(", ");
  const parts = [flag.versions === "" ? percent : `${percent} for ${flag.versions}`];
  if (flag.kill !== undefined) parts.push(`killed for ${rangeText(flag.kill.versions)}`);
  return parts.join("; ");
}

/** What a rule of an overlay says. */
export function ruleText({ effect }: Rule): string {
  switch (effect.case) {
    case "cap": {
      const { basisPoints, versions } = effect.value;
      return `capped to ${percentText(basisPoints)}${versions === "" ? "" : ` for ${versions}`}`;
    }
    case "kill":
      return `killed for ${rangeText(effect.value.versions)}`;
    case "pin":
      return `pinned to ${percentText(effect.value.basisPoints)}`;
    case undefined:
      return "not understood";
  }
}

/** How long ago, in the largest unit: `3 min`. */
export function agoText(thenMs: number, nowMs: number = Date.now()): string {
  const seconds = Math.max(0, Math.round((nowMs - thenMs) / 1_000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** A moment, as short as it can be told today. */
export function timeText(wallMs: number): string {
  const date = new Date(wallMs);
  const isToday = date.toDateString() === new Date().toDateString();
  const time = date.toLocaleTimeString([], {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  return isToday
    ? time
    : `${date.toLocaleDateString([], { month: "short", day: "numeric" })} ${time}`;
}

export function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
