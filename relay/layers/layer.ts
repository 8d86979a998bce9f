import { fromBinary } from "@bufbuild/protobuf";
import {
  AliasSchema,
  type Census,
  CensusSchema,
  CrashSchema,
  FeatureSchema,
  type Flag,
  FlagSchema,
  LibrarySchema,
  ReleaseSchema,
  type Rule,
  RuleSchema,
} from "../../gen/headwater/v1/flag_pb.ts";
import { BASIS_POINTS_MAX, HASH_VERSION } from "../flag/bucket.ts";
import { isCrashSignature } from "../flag/crash-name.ts";
import { isName } from "../flag/name.ts";
import { ruleFlag, ruleName, splitEntryKey } from "../ledger/entry.ts";
import type { HeldEntry } from "../ledger/ledger.ts";
import { noteLengthMax, versionLengthMax } from "../limits.ts";
import { censusFormProblem } from "../telemetry/census/census-question.ts";
import { parseScope, type Scope } from "./scope.ts";

/** The newest version of the meaning of entries that this software understands. */
export const readerVersion = 1;

/** A SHA-256. */
const authorityBytes = 32;

interface RolloutPart {
  readonly scope: Scope;
  readonly versions: string;
  readonly basisPoints: number;
}

/** A flag as a project's own ledger has it, its ranges parsed. */
export interface LayerFlag {
  readonly flag: Flag;
  readonly rollout: readonly RolloutPart[];
  readonly scope: Scope;
  readonly kill: Scope | undefined;
}

export interface LayerRule<Effect> {
  readonly effect: Effect;
  readonly note: string;
}

export interface CapEffect {
  readonly basisPoints: number;
  readonly scope: Scope;
  readonly versions: string;
}

export interface KillEffect {
  readonly scope: Scope;
  readonly versions: string;
}

export interface PinEffect {
  readonly basisPoints: number;
}

/**
 * A ledger as the fold reads it. What is not understood is no error: a flag is then held off, a
 * rule is nothing, and the key is named in `misunderstood`.
 */
export class Layer {
  readonly flags = new Map<string, LayerFlag | "misunderstood">();
  readonly releases = new Set<string>();
  readonly aliases = new Map<string, string>();
  readonly features = new Set<string>();
  /** Signatures of crashes that are known. */
  readonly crashes = new Set<string>();
  /** Authorities of projects that are used inside this one. */
  readonly libraries = new Map<string, Uint8Array>();
  /** Questions, by the name of their entry. */
  readonly censuses = new Map<string, Census>();
  readonly caps = new Map<string, LayerRule<CapEffect>>();
  readonly kills = new Map<string, LayerRule<KillEffect>>();
  readonly pins = new Map<string, LayerRule<PinEffect>>();
  readonly misunderstood = new Set<string>();

  /** Takes up the present values of the keys given; absent ones are forgotten. */
  update(entries: ReadonlyMap<string, HeldEntry>, keys: Iterable<string>): void {
    for (const key of keys) this.#set(key, entries.get(key)?.value);
  }

  #set(key: string, value: Uint8Array | undefined): void {
    const { kind, name } = splitEntryKey(key);
    this.misunderstood.delete(key);
    // A flag is replaced where it stands: a map that thousands are taken out of and put into again is
    // made anew.
    if (kind !== "flag" || value === undefined) this.#forget(kind, name);
    if (value === undefined || this.#take(kind, name, value)) return;
    this.misunderstood.add(key);
    if (kind === "flag") this.flags.set(name, "misunderstood");
  }

  #forget(kind: string, name: string): void {
    if (kind === "flag") this.flags.delete(name);
    if (kind === "release") this.releases.delete(name);
    if (kind === "alias") this.aliases.delete(name);
    if (kind === "feature") this.features.delete(name);
    if (kind === "crash") this.crashes.delete(name);
    if (kind === "library") this.libraries.delete(name);
    if (kind === "census") this.censuses.delete(name);
    if (kind === "rule") this.#forgetRule(name);
  }

  #forgetRule(name: string): void {
    const flag = ruleFlag(name);
    if (name === ruleName("cap", flag)) this.caps.delete(flag);
    if (name === ruleName("kill", flag)) this.kills.delete(flag);
    if (name === ruleName("pin", flag)) this.pins.delete(flag);
  }

  /** False when the value is not understood. */
  #take(kind: string, name: string, value: Uint8Array): boolean {
    try {
      if (kind === "flag") return this.#takeFlag(name, fromBinary(FlagSchema, value));
      if (kind === "release")
        return this.#takeWord(this.releases, name, fromBinary(ReleaseSchema, value).name);
      if (kind === "feature")
        return this.#takeWord(this.features, name, fromBinary(FeatureSchema, value).name);
      if (kind === "crash") return this.#takeCrash(name, fromBinary(CrashSchema, value).signature);
      if (kind === "alias") return this.#takeAlias(name, value);
      if (kind === "library") return this.#takeLibrary(name, value);
      if (kind === "census") return this.#takeCensus(name, fromBinary(CensusSchema, value));
      if (kind === "rule") return this.#takeRule(name, fromBinary(RuleSchema, value));
      return false;
    } catch {
      // Not the message that its key promises.
      return false;
    }
  }

  #takeFlag(name: string, flag: Flag): boolean {
    const parsed = parseFlag(name, flag);
    if (parsed !== undefined) this.flags.set(name, parsed);
    return parsed !== undefined;
  }

  #takeWord(words: Set<string>, name: string, word: string): boolean {
    if (word !== name || !isName(name)) return false;
    words.add(name);
    return true;
  }

  #takeCrash(name: string, signature: string): boolean {
    return isCrashSignature(name) && this.#takeWord(this.crashes, name, signature);
  }

  #takeAlias(name: string, value: Uint8Array): boolean {
    const alias = fromBinary(AliasSchema, value);
    if (alias.name !== name || name.length > versionLengthMax || !isName(alias.release))
      return false;
    this.aliases.set(name, alias.release);
    return true;
  }

  #takeLibrary(name: string, value: Uint8Array): boolean {
    const { project, authority } = fromBinary(LibrarySchema, value);
    if (project !== name || !isName(name) || authority.length !== authorityBytes) return false;
    this.libraries.set(name, authority);
    return true;
  }

  #takeCensus(name: string, census: Census): boolean {
    if (censusFormProblem(name, census) !== undefined) return false;
    this.censuses.set(name, census);
    return true;
  }

  #takeRule(name: string, rule: Rule): boolean {
    const { note, effect } = rule;
    const flag = ruleFlag(name);
    if (rule.flag !== flag || (flag !== "*" && !isName(flag)) || note.length > noteLengthMax)
      return false;
    if (effect.case === undefined || name !== ruleName(effect.case, flag)) return false;
    if (effect.case === "pin") {
      if (effect.value.basisPoints > BASIS_POINTS_MAX) return false;
      this.pins.set(flag, { effect: { basisPoints: effect.value.basisPoints }, note });
      return true;
    }
    const { versions } = effect.value;
    const scope = parseScope(versions);
    if (scope === undefined) return false;
    if (effect.case === "kill") {
      this.kills.set(flag, { effect: { scope, versions }, note });
      return true;
    }
    if (effect.value.basisPoints > BASIS_POINTS_MAX) return false;
    this.caps.set(flag, {
      effect: { basisPoints: effect.value.basisPoints, scope, versions },
      note,
    });
    return true;
  }
}

/** The rule for one flag: the one that names it goes before the one for all. */
export function ruleFor<Effect>(
  rules: ReadonlyMap<string, LayerRule<Effect>>,
  flag: string,
): LayerRule<Effect> | undefined {
  return rules.get(flag) ?? rules.get("*");
}

function parseFlag(name: string, flag: Flag): LayerFlag | undefined {
  if (flag.name !== name || !isName(name) || flag.note.length > noteLengthMax) return undefined;
  if (flag.reader > readerVersion || flag.hash !== HASH_VERSION) return undefined;
  const percents = [flag.basisPoints, ...flag.rollout.map((step) => step.basisPoints)];
  if (percents.some((basisPoints) => basisPoints > BASIS_POINTS_MAX)) return undefined;
  const scope = parseScope(flag.versions);
  const kill = flag.kill === undefined ? undefined : parseScope(flag.kill.versions);
  if (scope === undefined || (flag.kill !== undefined && kill === undefined)) return undefined;
  const rollout: RolloutPart[] = [];
  for (const { versions, basisPoints } of flag.rollout) {
    const stepScope = parseScope(versions);
    if (stepScope === undefined) return undefined;
    rollout.push({ scope: stepScope, versions, basisPoints });
  }
  return { flag, rollout, scope, kill };
}
