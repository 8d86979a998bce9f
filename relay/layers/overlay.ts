import type { OverlayAuthority } from "../../gen/headwater/v1/ledger_pb.ts";
import { entryKey, ruleName } from "../ledger/entry.ts";
import { bytesEqual } from "../trust/key.ts";
import type { Layer } from "./layer.ts";

/** An overlay as the fold sees it: its rules, and what the project's root lets it do. */
export interface Overlay {
  readonly layer: Layer;
  readonly mayAlias: boolean;
  /** For `*`: whether any flag may be pinned so high. */
  readonly mayPin: (flag: string, basisPoints: number) => boolean;
}

/** An authority's layer with the grants in force that name it. */
export function overlayOf(of: {
  layer: Layer;
  authority: Uint8Array;
  grants: readonly OverlayAuthority[];
}): Overlay {
  const granted = of.grants.filter(({ authority }) => bytesEqual(authority, of.authority));
  return {
    layer: of.layer,
    mayAlias: granted.some(({ aliases }) => aliases),
    mayPin: (flag, basisPoints) =>
      granted.some(
        ({ flags, pinBasisPointsMax }) =>
          basisPoints <= pinBasisPointsMax &&
          (flags.length === 0 || flag === "*" || flags.includes(flag)),
      ),
  };
}

/** Keys of the entries that need a grant and have none: they fold to nothing. */
export function ungrantedKeys({ layer, mayAlias, mayPin }: Overlay): string[] {
  const pins = [...layer.pins].flatMap(([flag, { effect }]) =>
    mayPin(flag, effect.basisPoints) ? [] : [entryKey("rule", ruleName("pin", flag))],
  );
  const aliases = mayAlias ? [] : [...layer.aliases.keys()].map((name) => entryKey("alias", name));
  return [...pins, ...aliases];
}
