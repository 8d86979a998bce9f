import { BASIS_POINTS_MAX } from "../../../relay/flag/bucket.ts";
import { bucketsOtherwise } from "../../../relay/flag/flagd-json.ts";
import { isName } from "../../../relay/flag/name.ts";
import { compareVersions, parseVersion } from "../../../relay/flag/version.ts";
import { rangeLengthMax } from "../../../relay/flag/version-range.ts";
import { shortened } from "../../../relay/quoted.ts";
import type { FlagRecord } from "../flag/flag-record.ts";
import { everyBuild } from "../flag/kill-range.ts";
import type { Carried } from "./flagd-export.ts";

/** What a rule amounts to: shares by version, and one for all others. */
interface Shares {
  readonly cases: readonly { readonly versions: readonly string[]; readonly basisPoints: number }[];
  readonly otherwise: number;
}

/** Something that cannot be carried over, at a path of the file. */
class Lost extends Error {
  readonly at: string;

  constructor(at: string, why: string) {
    super(why);
    this.at = at;
  }
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * A flag file from definitions of flagd. Switches between two paths are carried over, with a share
 * of the base and lists of versions; a flag is carried over whole or, but for metadata, not at all.
 */
export function flagdImport(project: string, definitions: unknown): Carried {
  const lost: string[] = [];
  const flags: Record<string, FlagRecord> = {};
  const releases = new Set<string>();
  const note = (at: string, why: string): void => void lost.push(shortened(`${at}: ${why}`));
  const top = isFields(definitions) ? definitions : {};
  if (!isFields(definitions)) note("$", "is no object");
  for (const key of Object.keys(top))
    if (key !== "flags" && key !== "$schema" && key !== "metadata")
      note(`$.${key}`, "is not carried over; a rule that refers to it is neither");
  if (!isFields(top["flags"])) note("$.flags", "is missing, or no object");
  noteMetadata("$.metadata", top["metadata"], { known: ["flagSetId"], note });
  for (const [name, flag] of Object.entries(isFields(top["flags"]) ? top["flags"] : {})) {
    const at = `$.flags[${JSON.stringify(name)}]`;
    try {
      const shares = sharesOf(at, name, flag);
      flags[name] = recordOf(at, shares, noteOf(flag));
      for (const { versions } of shares.cases) for (const one of versions) releases.add(one);
      noteMetadata(`${at}.metadata`, (flag as Fields)["metadata"], { known: ["note"], note });
    } catch (thrown) {
      if (!(thrown instanceof Lost)) throw thrown;
      note(thrown.at, thrown.message);
    }
  }
  return { file: { project, flags, releases: [...releases].toSorted() }, lost };
}

/** The project that the definitions say they are of; empty where they do not. */
export function flagSetOf(definitions: unknown): string {
  const metadata = isFields(definitions) ? definitions["metadata"] : undefined;
  const set = isFields(metadata) ? metadata["flagSetId"] : undefined;
  return typeof set === "string" ? set : "";
}

function noteMetadata(
  at: string,
  metadata: unknown,
  of: { known: readonly string[]; note: (at: string, why: string) => void },
): void {
  for (const key of Object.keys(isFields(metadata) ? metadata : {}))
    if (!of.known.includes(key)) of.note(`${at}.${key}`, "is not carried over");
}

function noteOf(flag: unknown): string {
  const metadata = isFields(flag) ? flag["metadata"] : undefined;
  const note = isFields(metadata) ? metadata["note"] : undefined;
  return typeof note === "string" ? note : "";
}

function sharesOf(at: string, name: string, flag: unknown): Shares {
  if (!isName(name)) throw new Lost(at, "is no name; write letters, digits, dots, dashes and _");
  if (!isFields(flag)) throw new Lost(at, "is no object");
  if (flag["state"] !== "ENABLED")
    throw new Lost(
      `${at}.state`,
      "a flag that is not ENABLED is the app's own default, as no flag is",
    );
  const variants = variantsOf(at, flag["variants"]);
  const fallback = flag["defaultVariant"];
  const byDefault = typeof fallback === "string" ? variants.get(fallback) : undefined;
  if (byDefault === undefined)
    throw new Lost(`${at}.defaultVariant`, "without one the app's own default counts");
  const { targeting } = flag;
  const rule = new Rule(variants, byDefault);
  const isEmpty =
    targeting === undefined || (isFields(targeting) && Object.keys(targeting).length === 0);
  return isEmpty
    ? { cases: [], otherwise: byDefault ? BASIS_POINTS_MAX : 0 }
    : rule.shares(`${at}.targeting`, targeting);
}

function variantsOf(at: string, variants: unknown): ReadonlyMap<string, boolean> {
  const entries = Object.entries(isFields(variants) ? variants : {});
  const values = entries.map(([, value]) => value);
  if (entries.length === 0 || values.some((value) => typeof value !== "boolean"))
    throw new Lost(`${at}.variants`, "a flag is a switch: variants are true and false");
  return new Map(entries as [string, boolean][]);
}

const guard = JSON.stringify(bucketsOtherwise);

/** Reads the rules of one flag; what is not known to mean a share is lost, at its own path. */
class Rule {
  readonly #variants: ReadonlyMap<string, boolean>;
  readonly #byDefault: boolean;

  constructor(variants: ReadonlyMap<string, boolean>, byDefault: boolean) {
    this.#variants = variants;
    this.#byDefault = byDefault;
  }

  /** `if` with lists of versions as conditions, else a share. */
  shares(at: string, rule: unknown): Shares {
    const parts = operands(rule, "if");
    if (parts === undefined || !parts.some((part) => operands(part, "in") !== undefined))
      return { cases: [], otherwise: this.#share(at, rule) };
    const cases: { versions: string[]; basisPoints: number }[] = [];
    for (let i = 0; i + 1 < parts.length; i += 2)
      cases.push({
        versions: versionsOf(`${at}.if[${i}]`, parts[i]),
        basisPoints: this.#share(`${at}.if[${i + 1}]`, parts[i + 1]),
      });
    const hasElse = parts.length % 2 === 1;
    const last = `${at}.if[${parts.length - 1}]`;
    const otherwise = hasElse ? this.#share(last, parts.at(-1)) : this.#fixed(this.#byDefault);
    checkApart(at, cases);
    return { cases, otherwise };
  }

  #share(at: string, rule: unknown): number {
    if (rule === null) return this.#fixed(this.#byDefault);
    if (typeof rule === "string" || typeof rule === "boolean") {
      const value = this.#variants.get(String(rule));
      if (value === undefined) throw new Lost(at, "names no variant");
      return this.#fixed(value);
    }
    const weights = operands(rule, "fractional") ?? this.#keyed(at, rule);
    if (weights === undefined) throw new Lost(at, "is no share and no list of versions");
    return this.#split(`${at}.fractional`, weights);
  }

  /**
   * What an export writes: off for clients that bucket otherwise, else by `instance`, else by
   * `targetingKey`, else off.
   */
  #keyed(at: string, rule: unknown): readonly unknown[] | undefined {
    const given = operands(rule, "if");
    if (given === undefined) return undefined;
    const isGuarded =
      JSON.stringify(given[0]) === guard && this.#variants.get(String(given[1])) === false;
    const parts = isGuarded ? given.slice(2) : given;
    const [first, byInstance, second, byKey, otherwise] = parts;
    const instance = operands(byInstance, "fractional");
    const key = operands(byKey, "fractional");
    const isOurs =
      parts.length === 5 &&
      isVariable(first, "instance") &&
      isVariable(second, "targetingKey") &&
      this.#variants.get(String(otherwise)) === false &&
      instance !== undefined &&
      JSON.stringify(instance.slice(1)) === JSON.stringify(key?.slice(1)) &&
      isKeyOf(instance[0], "instance") &&
      isKeyOf(key?.[0], "targetingKey");
    if (!isOurs) throw new Lost(`${at}.if`, "its conditions are no lists of versions");
    return instance;
  }

  #split(at: string, operandsOf: readonly unknown[]): number {
    const [first, ...rest] = operandsOf;
    const hasKey = !Array.isArray(first);
    if (hasKey && !isKeyOf(first, "targetingKey") && !isKeyOf(first, "instance"))
      throw new Lost(`${at}[0]`, "splits by something else than the flag's name and the instance");
    const weights = (hasKey ? rest : operandsOf).map((part, i) =>
      this.#weight(`${at}[${i}]`, part),
    );
    const total = weights.reduce((sum, { weight }) => sum + weight, 0);
    const on = weights.filter(({ value }) => value).reduce((sum, { weight }) => sum + weight, 0);
    if (total === 0) return this.#fixed(this.#byDefault);
    const firstOff = weights.findIndex(({ value, weight }) => !value && weight > 0);
    if (firstOff >= 0 && weights.slice(firstOff).some(({ value, weight }) => value && weight > 0))
      throw new Lost(at, "the variant for true is not first, so other instances would be in");
    const basisPoints = (on * BASIS_POINTS_MAX) / total;
    if (!Number.isInteger(basisPoints))
      throw new Lost(at, `${on} of ${total} is no multiple of 0.01 %`);
    return basisPoints;
  }

  #weight(at: string, part: unknown): { value: boolean; weight: number } {
    const [variant, weight = 1, ...more] = Array.isArray(part) ? (part as unknown[]) : [];
    const value = typeof variant === "string" ? this.#variants.get(variant) : undefined;
    if (value === undefined || more.length > 0) throw new Lost(at, "is no variant with its weight");
    if (typeof weight !== "number" || !Number.isInteger(weight) || weight < 0)
      throw new Lost(at, "has no whole number for its weight");
    return { value, weight };
  }

  #fixed(value: boolean): number {
    return value ? BASIS_POINTS_MAX : 0;
  }
}

function versionsOf(at: string, condition: unknown): string[] {
  const [field, list] = operands(condition, "in") ?? [];
  if (!isVariable(field, "version") || !Array.isArray(list))
    throw new Lost(at, "is no list of versions");
  return list.map((version: unknown, i) => {
    const isUsable =
      typeof version === "string" && isName(version) && parseVersion(version) !== undefined;
    if (!isUsable) throw new Lost(`${at}.in[1][${i}]`, "is no version that has an order");
    return version;
  });
}

/** `2.3` ranks as `2.3.0`, so that a range can not tell them apart. */
function checkApart(at: string, cases: readonly { versions: readonly string[] }[]): void {
  const seen: { version: string; group: number }[] = [];
  for (const [group, { versions }] of cases.entries())
    for (const version of versions) {
      const twin = seen.find((one) => isSameRank(one.version, version));
      if (twin !== undefined && twin.version !== version && twin.group !== group)
        throw new Lost(at, `${twin.version} and ${version} rank the same, and differ here`);
      seen.push({ version, group });
    }
}

function isSameRank(left: string, right: string): boolean {
  const [one, other] = [parseVersion(left), parseVersion(right)];
  return one !== undefined && other !== undefined && compareVersions(one, other) === 0;
}

function recordOf(at: string, { cases, otherwise }: Shares, note: string): FlagRecord {
  const noted = note === "" ? {} : { note };
  if (cases.length === 0) return { percent: otherwise / 100, ...noted };
  const steps = cases.flatMap(({ versions, basisPoints }) =>
    rangesOf(at, versions).map((range) => ({ versions: range, percent: basisPoints / 100 })),
  );
  return { rollout: [...steps, { versions: everyBuild, percent: otherwise / 100 }], ...noted };
}

const rangeVersionsMax = 10;

/** As many ranges as it takes: one is short. */
function rangesOf(at: string, versions: readonly string[]): string[] {
  const ranges: string[] = [];
  let held: string[] = [];
  for (const version of versions) {
    const longer = [...held, `=${version}`];
    if (longer.length > rangeVersionsMax || longer.join(" || ").length > rangeLengthMax) {
      ranges.push(held.join(" || "));
      held = [`=${version}`];
    } else held = longer;
  }
  if (held.length === 0) throw new Lost(at, "has an empty list of versions");
  return [...ranges, held.join(" || ")];
}

/** The operands of a rule that is this operation; one alone need not stand in a list. */
function operands(rule: unknown, operator: string): readonly unknown[] | undefined {
  if (!isFields(rule) || Object.keys(rule).length !== 1 || !(operator in rule)) return undefined;
  const held = rule[operator];
  return Array.isArray(held) ? (held as unknown[]) : [held];
}

function isVariable(rule: unknown, name: string): boolean {
  return operands(rule, "var")?.[0] === name;
}

function isKeyOf(rule: unknown, field: string): boolean {
  const [flag, key, ...more] = operands(rule, "cat") ?? [];
  return more.length === 0 && isVariable(flag, "$flagd.flagKey") && isVariable(key, field);
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
