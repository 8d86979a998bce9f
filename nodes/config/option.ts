import { z } from "zod";
import { formatDuration, parseDuration } from "../../relay/duration.ts";
import { isName } from "../../relay/flag/name.ts";
import { quoted } from "../../relay/quoted.ts";
import { type Address, type AddressProblem, formatAddress, parseAddress } from "./address.ts";
import { type NatsAddress, parseNatsUrl } from "./nats-address.ts";

/** One setting, declared once: parsing, `--help` and the documentation are made from it. */
export interface Option<T> {
  /** The environment variable. */
  readonly variable: `HEADWATER_${string}`;
  /** What stands for the value in `--help`, such as HOST:PORT. */
  readonly value: string;
  /** What it is for; no full stop, the default follows. */
  readonly sentence: string;
  /** Taken when nothing is set; read like everything that is. */
  readonly default?: string;
  /** What happens when nothing is set and there is no fixed default. */
  readonly otherwise?: string;
  readonly example: string;
  readonly schema: z.ZodType<T, string>;
}

/** For each property of a configuration the option that fills it. */
export type Options<T> = { readonly [K in keyof T]: Option<T[K]> };

/** Its flag of `headwater node`, and its key in a configuration file: `data-dir`. */
export function flagOf(option: Pick<Option<unknown>, "variable">): string {
  return option.variable.slice("HEADWATER_".length).toLowerCase().replaceAll("_", "-");
}

/** Any text: a secret. */
export const textValue: z.ZodType<string, string> = z.string();

/** Where a file or a folder is. White space around it, as a file from Windows brings, leads elsewhere unseen. */
export const pathValue: z.ZodType<string, string> = z
  .string()
  .refine((text) => text === text.trim(), {
    error: ({ input }) =>
      `${quoted(String(input))} begins or ends with white space: write it without`,
  });

export const nameValue: z.ZodType<string, string> = z.string().refine(isName, {
  error: ({ input }) =>
    `${quoted(String(input))} is no name: write 1 to 100 letters, digits, dots, dashes and ` +
    "underscores, a letter or digit first",
});

/** `host:port` to listen on; port 0 is any that is free. */
export const listenValue: z.ZodType<string, string> = parsedValue((text) => {
  const address = parseAddress(text);
  return "problem" in address ? address : formatAddress(address);
});

/** The same for nodes; gRPC does not dial an address with a zone, which each machine has of its own. */
export const meshListenValue: z.ZodType<string, string> = parsedValue((text) => {
  const address = parseUnzoned(text);
  return "problem" in address ? address : formatAddress(address);
});

/** `host:port` of a node to dial, so the port is not 0. */
export const dialValue: z.ZodType<string, string> = parsedValue((text) => {
  const address = parseUnzoned(text);
  if ("problem" in address) return address;
  if (address.port === 0) return { problem: `${text} has no port to dial: write its real port` };
  return formatAddress(address);
});

function parseUnzoned(text: string): Address | AddressProblem {
  const address = parseAddress(text);
  if ("problem" in address || !address.host.includes("%")) return address;
  return {
    problem: `${text} has a zone, and nodes can not dial that: write an address without one`,
  };
}

/** A list joined by commas; empty places are no items. */
export function listValue<T>(
  item: z.ZodType<T, string>,
  itemsCountMax: number,
): z.ZodType<readonly T[], string> {
  return z
    .string()
    .transform((text) =>
      text
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== ""),
    )
    .pipe(z.array(item).max(itemsCountMax, { error: `more than ${itemsCountMax} items` }));
}

/** A length of time in milliseconds, within bounds. */
export function durationValue(bounds: { min: number; max: number }): z.ZodType<number, string> {
  const [least, most] = [bounds.min, bounds.max].map((ms) =>
    formatDuration(ms).replaceAll(" ", ""),
  );
  return parsedValue((text) => {
    const durationMs = parseDuration(text);
    if (typeof durationMs !== "number") return durationMs;
    if (durationMs < bounds.min)
      return { problem: `${quoted(text)} is too short: write at least ${least}` };
    if (durationMs > bounds.max)
      return { problem: `${quoted(text)} is too long: write at most ${most}` };
    return durationMs;
  });
}

/** Where pages come from, as browsers say it: `https://app.example.org`, or `*`. */
export const originValue: z.ZodType<string, string> = z
  .string()
  .refine((text) => text === "*" || URL.parse(text)?.origin === text, {
    error: ({ input }) => {
      const origin = URL.parse(String(input))?.origin ?? "null";
      const mend = origin === "null" ? "https://app.example.org" : origin;
      return `${quoted(String(input))} is no origin: write ${mend}, or * for every one`;
    },
  });

/** Where a server is, as a URL of one of the schemes (without the colon). */
export function urlValue(schemes: readonly string[]): z.ZodType<string, string> {
  return z
    .string()
    .refine((text) => schemes.includes(URL.parse(text)?.protocol.slice(0, -1) ?? ""), {
      error: ({ input }) =>
        `${quoted(String(input))} is no address of the kind: write ${schemes[0]}://host:port`,
    });
}

/**
 * The servers of one NATS: `nats://host:4222`, `tls://…`, or just `host:4222`; several of a cluster
 * separated by commas. The problem does not repeat the text, which may hold a password.
 */
export const natsValue: z.ZodType<NatsAddress, string> = parsedValue(parseNatsUrl);

/** One of a closed list of words. `later` are words that a future version will know. */
export function choiceValue<const Word extends string>(of: {
  words: readonly Word[];
  later?: readonly string[];
}): z.ZodType<Word, string> {
  const mend = `write ${of.words.join(", ").replace(/, ([^,]*)$/, " or $1")}`;
  return parsedValue((text) => {
    const word = of.words.find((one) => one === text);
    if (word !== undefined) return word;
    const isLater = of.later?.includes(text) === true;
    const problem = isLater ? "is not in this version" : "is not known";
    return { problem: `${quoted(text)} ${problem}: ${mend}` };
  });
}

/** The value of a parser that answers with a sentence where a text is no such value. */
function parsedValue<Parsed>(
  parse: (text: string) => Parsed,
): z.ZodType<Exclude<Parsed, Problem>, string> {
  return z.string().transform((text, context): Exclude<Parsed, Problem> => {
    const parsed = parse(text);
    if (!isProblem(parsed)) return parsed as Exclude<Parsed, Problem>;
    context.addIssue({ code: "custom", message: parsed.problem });
    return z.NEVER;
  });
}

interface Problem {
  readonly problem: string;
}

function isProblem(parsed: unknown): parsed is Problem {
  return typeof parsed === "object" && parsed !== null && "problem" in parsed;
}
