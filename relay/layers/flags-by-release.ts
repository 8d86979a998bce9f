import type { EffectiveFlag } from "../flag/effective-flag.ts";
import type { FlagByRelease, ReleasedFlag } from "../flag/flag-by-release.ts";
import { buildOf } from "./build.ts";
import { capsFor, effectiveFlag, type Layers, scopesOfKills } from "./fold.ts";
import type { Build } from "./scope.ts";

const unknownBuild: Build = { release: "", version: undefined };

/** A published release with all the names that it goes by. */
interface NamedBuild {
  readonly build: Build;
  readonly versions: readonly string[];
}

/** Every flag for every build, each kept until something about it changes. */
export class FlagsByRelease {
  readonly #flags = new Map<string, FlagByRelease>();
  /** Many flags are about the same releases, which are kept once. */
  readonly #versions = new Map<string, ReadonlySet<string>>();
  #builds: readonly NamedBuild[] | undefined;

  /** Undefined when the project has no such flag. */
  get(layers: Layers, name: string): FlagByRelease | undefined {
    const known = this.#flags.get(name);
    if (known !== undefined) return known;
    const unknown = effectiveFlag(layers, name, unknownBuild);
    if (unknown === undefined) return undefined;
    const releases = isRanged(layers, name) ? this.#released(layers, name, unknown) : [];
    const flag = { name, unknown, releases };
    this.#flags.set(name, flag);
    return flag;
  }

  forget(name: string): void {
    this.#flags.delete(name);
  }

  forgetAll(): void {
    this.#flags.clear();
    this.#versions.clear();
    this.#builds = undefined;
  }

  #released(layers: Layers, name: string, unknown: EffectiveFlag): ReleasedFlag[] {
    const groups = new Map<string, { flag: EffectiveFlag; versions: string[] }>();
    for (const { build, versions } of this.#namedBuilds(layers)) {
      const flag = effectiveFlag(layers, name, build);
      if (flag === undefined || same(flag, unknown)) continue;
      const group = groups.get(`${flag.basisPoints} ${flag.reason}`) ?? { flag, versions: [] };
      group.versions.push(...versions);
      groups.set(`${flag.basisPoints} ${flag.reason}`, group);
    }
    return [...groups.values()].map(({ flag, versions }) => ({
      flag,
      versions: this.#shared(versions),
    }));
  }

  #namedBuilds(layers: Layers): readonly NamedBuild[] {
    if (this.#builds !== undefined) return this.#builds;
    const { own, overlays } = layers;
    const names = [own, ...overlays.map(({ layer }) => layer)].flatMap(({ aliases }) => [
      ...aliases.keys(),
    ]);
    const builds = new Map<string, { build: Build; versions: string[] }>();
    for (const version of new Set([...own.releases, ...names])) {
      const build = buildOf(own, overlays, version);
      if (build.release === "") continue;
      const named = builds.get(build.release) ?? { build, versions: [] };
      named.versions.push(version);
      builds.set(build.release, named);
    }
    this.#builds = [...builds.values()];
    return this.#builds;
  }

  #shared(versions: readonly string[]): ReadonlySet<string> {
    const id = versions.join("\n");
    const known = this.#versions.get(id) ?? new Set(versions);
    this.#versions.set(id, known);
    return known;
  }
}

/** Whether any layer has something to say about this flag that is not for every build. */
function isRanged(layers: Layers, name: string): boolean {
  const own = layers.own.flags.get(name);
  const ownScopes =
    own === undefined || own === "misunderstood"
      ? []
      : [own.scope, ...own.rollout.map(({ scope }) => scope)];
  const scopes = [
    ...ownScopes,
    ...scopesOfKills(layers, name),
    ...capsFor(layers, name).map(({ effect }) => effect.scope),
  ];
  return scopes.some((scope) => scope !== "every");
}

function same(a: EffectiveFlag, b: EffectiveFlag): boolean {
  return a.basisPoints === b.basisPoints && a.reason === b.reason;
}
