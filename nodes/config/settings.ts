import { appOptions } from "./app-options.ts";
import { nearestName } from "./nearest-name.ts";
import { nodeOptions } from "./node-options.ts";
import { operatorOptions } from "./operator-options.ts";
import { flagOf, type Option, type Options } from "./option.ts";

/** Names and texts, as the environment has them; an empty text is no value. */
export type Texts = Readonly<Record<string, string | undefined>>;

/** Where values come from; a flag goes before the environment, that before the file. */
export interface Sources {
  /** By variable. */
  readonly env: Texts;
  /** By flag: `data-dir`. */
  readonly flags?: Texts;
  /** By flag as well. */
  readonly file?: Texts;
}

export interface Settings<T> {
  /** Lacks those that have a problem. */
  readonly values: Partial<T>;
  /** A sentence each, with the mend. */
  readonly problems: readonly string[];
}

/** Reads every option and reports all problems, not only the first. */
export function readSettings<T>(options: Options<T>, sources: Sources): Settings<T> {
  const values: Partial<T> = {};
  const problems: string[] = [];
  for (const key of Object.keys(options) as (keyof T)[]) {
    const option: Option<T[typeof key]> = options[key];
    const { source, text } = given(option, sources);
    if (text === undefined) continue;
    const parsed = option.schema.safeParse(text);
    if (parsed.success) values[key] = parsed.data;
    else problems.push(...parsed.error.issues.map(({ message }) => `${source}: ${message}`));
  }
  return { values, problems };
}

/** A sentence for each HEADWATER_ variable that does not exist, with the nearest that does. */
export function unknownVariables(env: Texts): string[] {
  const known = [appOptions, nodeOptions, operatorOptions].flatMap((options) =>
    Object.values<Option<unknown>>(options).map(({ variable }): string => variable),
  );
  const unknown = Object.keys(env).filter(
    (name) => name.startsWith("HEADWATER_") && !known.includes(name),
  );
  return unknown.map(
    (name) => `${name}: no such setting: did you mean ${nearestName(name, known)}?`,
  );
}

/** A sentence for each key of a configuration file that is no setting of a node. */
export function unknownKeys(file: Texts): string[] {
  const known = Object.values<Option<unknown>>(nodeOptions).map(flagOf);
  const unknown = Object.keys(file).filter((key) => !known.includes(key));
  return unknown.map((key) => `${key}: no such setting: did you mean ${nearestName(key, known)}?`);
}

interface Given {
  /** What a problem is reported about. */
  readonly source: string;
  readonly text: string | undefined;
}

function given(option: Option<unknown>, { env, flags, file }: Sources): Given {
  const flag = flagOf(option);
  const places: Given[] = [
    { source: `--${flag}`, text: flags?.[flag] },
    { source: option.variable, text: env[option.variable] },
    { source: flag, text: file?.[flag] },
  ];
  const fallback = { source: option.variable, text: option.default };
  return places.find(({ text }) => text !== undefined && text !== "") ?? fallback;
}
