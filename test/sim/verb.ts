import type { Random } from "../../relay/random.ts";
import type { Layout } from "./layout.ts";
import type { Scene } from "./scene.ts";
import type { OverlayKind } from "./story.ts";

/** What a verb may be drawn about. */
export interface Draw {
  readonly random: Random;
  readonly layout: Layout;
  readonly overlay: OverlayKind;
  /** Any node but the root. */
  readonly relay: () => string;
  readonly node: () => string;
  /** Milliseconds up to a bound, seldom short. */
  readonly forMs: (max: number) => string;
}

/** One thing that stories are made of. */
interface Verb {
  /** How often it is drawn, against the others. */
  readonly weight: number;
  /** Its words after the verb; undefined where it makes no sense. */
  readonly draw: (draw: Draw) => readonly string[] | undefined;
  readonly run: (scene: Scene, words: readonly string[]) => void;
}

export type Verbs = Readonly<Record<string, Verb>>;

export function pick<T>(random: Random, of: readonly T[]): T {
  const picked = of[random.below(of.length)];
  if (picked === undefined) throw new Error("there is nothing to pick from");
  return picked;
}
