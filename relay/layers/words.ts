import { formatPercent } from "../flag/percent.ts";
import { type LayerFlag, ruleFor } from "./layer.ts";
import type { Overlay } from "./overlay.ts";

/** What a project's own ledger says about a flag, in words. */
export function flagWords(own: LayerFlag | "misunderstood"): string {
  if (own === "misunderstood") return "not understood, held off";
  const percent =
    own.rollout.length === 0
      ? formatPercent(own.flag.basisPoints)
      : own.rollout
          .map(
            ({ versions, basisPoints }) =>
              `${formatPercent(basisPoints)} of ${rangeWords(versions)}`,
          )
          .join(", ");
  const versions = own.scope === "every" ? "" : ` for ${own.flag.versions}`;
  const kill =
    own.flag.kill === undefined ? "" : `; killed for ${rangeWords(own.flag.kill.versions)}`;
  return `${percent}${versions}${kill}`;
}

/** What an overlay says about a flag, in words; empty when it says nothing. */
export function ruleWords(
  { layer, mayPin }: Overlay,
  flag: string,
): { says: string; note: string } {
  const cap = ruleFor(layer.caps, flag);
  const kill = ruleFor(layer.kills, flag);
  const pin = ruleFor(layer.pins, flag);
  const says: string[] = [];
  if (pin !== undefined) {
    const { basisPoints } = pin.effect;
    const granted = mayPin(flag, basisPoints) ? "" : " (without a grant, so without effect)";
    says.push(`pinned to ${formatPercent(basisPoints)}${granted}`);
  }
  if (cap !== undefined) says.push(capWords(cap.effect));
  if (kill !== undefined) says.push(`killed for ${rangeWords(kill.effect.versions)}`);
  const notes = [pin?.note, cap?.note, kill?.note].filter(
    (note) => note !== undefined && note !== "",
  );
  return { says: says.join(", "), note: [...new Set(notes)].join("; ") };
}

function capWords(cap: { basisPoints: number; versions: string }): string {
  const versions = cap.versions === "" ? "" : ` for ${cap.versions}`;
  return `capped to ${formatPercent(cap.basisPoints)}${versions}`;
}

function rangeWords(versions: string): string {
  return versions === "" || versions.trim() === "*" ? "every build" : versions;
}
