import type { Argument, Command, Option } from "commander";

/** Names that a completion has to ask for. */
export interface Names {
  projects(): Promise<string[]>;
  /** As `PROJECT/FLAG`. */
  flags(): Promise<string[]>;
}

/** What the shell is asked for where names of files are wanted. */
const files = ":files";

/**
 * What the last of the words may become, a line each: the word, a tab, what it means. The words are
 * those after the program's name; the last is empty where nothing was typed of it yet.
 */
export async function candidatesOf(of: {
  program: Command;
  words: readonly string[];
  names: Names;
}): Promise<string[]> {
  const current = of.words.at(-1) ?? "";
  // Bash breaks words at an equals sign: `--scope`, `=`, `fl`.
  const before = of.words.slice(0, -1).filter((word) => word !== "=");
  const place = placeOf(of.program, before);
  const wanted = current === "=" ? "" : current;
  const lines = await linesAt(place, wanted, of.names);
  return lines.filter((line) => line === files || line.startsWith(wanted));
}

/** Where on a command line the next word stands. */
interface Place {
  readonly command: Command;
  /** Arguments given so far. */
  readonly argumentsCount: number;
  /** The option whose value it is. */
  readonly option: Option | undefined;
}

function placeOf(program: Command, words: readonly string[]): Place {
  let place: Place = { command: program, argumentsCount: 0, option: undefined };
  for (const word of words) place = after(place, word);
  return place;
}

function after({ command, argumentsCount, option }: Place, word: string): Place {
  if (option !== undefined && !word.startsWith("-")) {
    // One that takes several goes on until the next option.
    return { command, argumentsCount, option: option.variadic ? option : undefined };
  }
  if (word.startsWith("-")) {
    const [name = ""] = word.split("=", 1);
    const known = command.options.find(({ short, long }) => short === name || long === name);
    const takesNext = known !== undefined && takesValue(known) && !word.includes("=");
    return { command, argumentsCount, option: takesNext ? known : undefined };
  }
  const inner = command.commands.find((one) => one.name() === word);
  if (inner !== undefined) return { command: inner, argumentsCount: 0, option: undefined };
  return { command, argumentsCount: argumentsCount + 1, option: undefined };
}

function takesValue({ required, optional }: Option): boolean {
  return required || optional;
}

async function linesAt(place: Place, current: string, names: Names): Promise<string[]> {
  const { command, option } = place;
  if (current.startsWith("-")) return optionLines(command);
  if (option !== undefined) return valueLines(option.argChoices, option.flags, names);
  const shown = command.commands.filter((one) => one.summary() !== "");
  if (shown.length > 0) return shown.map((one) => `${one.name()}\t${one.summary()}`);
  const argument = argumentAt(command, place.argumentsCount);
  if (argument === undefined) return [];
  return valueLines(argument.argChoices, argument.name(), names);
}

function argumentAt(command: Command, index: number): Argument | undefined {
  const all = command.registeredArguments;
  const last = all.at(-1);
  return all[index] ?? (last?.variadic === true ? last : undefined);
}

function optionLines(command: Command): string[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long, description }) => (long ? `${long}\t${description}` : []));
}

/** `named` says what it is: the placeholders of arguments and options mean one thing each. */
async function valueLines(
  choices: readonly string[] | undefined,
  named: string,
  names: Names,
): Promise<string[]> {
  if (choices !== undefined) return choices.map((choice) => `${choice}\t`);
  if (/\bPROJECT\/FLAG\b/.test(named)) return (await names.flags()).map((name) => `${name}\tflag`);
  if (/\bPROJECT\b/.test(named)) {
    const projects = (await names.projects()).map((name) => `${name}\tproject`);
    const orFlags = /\[\/FLAG\]/.test(named) ? await names.flags() : [];
    return [...projects, ...orFlags.map((name) => `${name}\tflag`)];
  }
  return /\b(FILE|DIR)\b/.test(named) ? [files] : [];
}
