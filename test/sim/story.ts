import { calm, type Faults } from "./faults.ts";

/** One thing that happens: a verb and what it is about. */
export interface Action {
  readonly atMs: number;
  readonly words: readonly string[];
}

/**
 * All that a run follows from. As text it is what a violation prints and what a test keeps:
 *
 *     seed 17 layout tree overlay granted disclosure EXACT
 *     faults lossShare=0.1 delayMsMax=50
 *     1200 change flag-3=2500
 *     3400 crash vendor 20000
 */
export interface Story {
  readonly seed: number;
  readonly layout: string;
  readonly overlay: OverlayKind;
  readonly disclosure: "OFF" | "EXACT" | "ROUNDED";
  readonly faults: Faults;
  readonly actions: readonly Action[];
}

/** Whether the vendor has an overlay, and whether the project lets it pin. */
export type OverlayKind = "none" | "plain" | "granted";

export function storyText({ seed, layout, overlay, disclosure, faults, actions }: Story): string {
  const knobs = Object.entries(faults)
    .filter(([name, value]) => value !== calm[name as keyof Faults])
    .map(([name, value]) => `${name}=${Number(value.toFixed(6))}`);
  return [
    `seed ${seed} layout ${layout} overlay ${overlay} disclosure ${disclosure}`,
    ...(knobs.length === 0 ? [] : [`faults ${knobs.join(" ")}`]),
    ...actions.map(({ atMs, words }) => `${atMs} ${words.join(" ")}`),
  ].join("\n");
}

export function parseStory(text: string): Story {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const [first = "", ...rest] = lines;
  const words = first.split(" ");
  const value = (name: string): string => {
    const found = words[words.indexOf(name) + 1];
    if (!words.includes(name) || found === undefined) throw new Error(`story: no ${name}`);
    return found;
  };
  const knobs = rest.find((line) => line.startsWith("faults "));
  return {
    seed: Number(value("seed")),
    layout: value("layout"),
    overlay: value("overlay") as OverlayKind,
    disclosure: value("disclosure") as Story["disclosure"],
    faults: { ...calm, ...(knobs === undefined ? {} : parseKnobs(knobs)) },
    actions: rest.filter((line) => line !== knobs).map(parseAction),
  };
}

function parseKnobs(line: string): Partial<Faults> {
  const pairs = line.split(" ").slice(1);
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name = "", value] = pair.split("=");
      if (!Object.hasOwn(calm, name)) throw new Error(`story: no fault ${JSON.stringify(name)}`);
      return [name, Number(value)];
    }),
  );
}

function parseAction(line: string): Action {
  const [at = "", ...words] = line.split(" ");
  const atMs = Number(at);
  if (!Number.isFinite(atMs) || words.length === 0)
    throw new Error(`story: not an action: ${JSON.stringify(line)}`);
  return { atMs, words };
}
