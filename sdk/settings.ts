import { isName } from "../relay/flag/name.ts";
import {
  connectWaitMs,
  connectWaitMsMax,
  instanceLengthMax,
  reportDependenciesMax,
  urlsCountMax,
  versionLengthMax,
} from "./limits.ts";

/** What an app says of itself. What it leaves out comes from the environment. */
export interface ConnectOptions {
  /** The project whose flags these are; else `HEADWATER_PROJECT`. */
  readonly project?: string | undefined;
  /** The app's version, as published; else `HEADWATER_VERSION`, else an unknown build. */
  readonly version?: string | undefined;
  /**
   * Which running copy this is; else `HEADWATER_INSTANCE`, else what the cache file has kept, else
   * random. Keep it across restarts, or a crash loop re-rolls its flags.
   */
  readonly instance?: string | undefined;
  /** Libraries inside the app that are projects too, by name, each with its version. */
  readonly dependencies?: Readonly<Record<string, string>> | undefined;
  /** The node to use, or several to try in order; else `HEADWATER_URL`, else the local one. */
  readonly url?: string | readonly string[] | undefined;
  /** `off`, here or in the environment: nothing is reported, not even to the local node. */
  readonly telemetry?: "on" | "off" | undefined;
  /** Keeps the instance and the last flags for the next start. One file for one running copy. */
  readonly cacheFile?: string | undefined;
  /** How long to wait for flags at most, in milliseconds; 2000 unless given. */
  readonly waitMs?: number | undefined;
}

/** Options and environment, checked. */
export interface Settings {
  readonly project: string;
  readonly version: string;
  readonly instance: string | undefined;
  readonly dependencies: readonly { readonly project: string; readonly version: string }[];
  readonly urls: readonly string[];
  readonly isReporting: boolean;
  readonly cacheFile: string | undefined;
  readonly waitMs: number;
}

/** Variables by name; an empty one counts as none. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** @throws TypeError that names every setting which can not work, with the mend */
export function readSettings(options: ConnectOptions, environment: Environment): Settings {
  const settings = {
    project: options.project ?? (environment["HEADWATER_PROJECT"] || ""),
    version: options.version ?? environment["HEADWATER_VERSION"] ?? "",
    instance: options.instance ?? (environment["HEADWATER_INSTANCE"] || undefined),
    dependencies: dependenciesOf(options.dependencies),
    urls: urlsOf(options.url ?? environment["HEADWATER_URL"]),
    isReporting: options.telemetry !== "off" && mayReport(environment),
    cacheFile: options.cacheFile,
    waitMs: options.waitMs ?? connectWaitMs,
  };
  const problems = problemsOf(settings);
  if (problems.length > 0) throw new TypeError(`headwater: ${problems.join("; ")}`);
  return settings;
}

function dependenciesOf(given: ConnectOptions["dependencies"]): Settings["dependencies"] {
  return Object.entries(given ?? {}).map(([project, version]) => ({ project, version }));
}

const DEFAULT_URL = "http://127.0.0.1:7700";

function urlsOf(given: string | readonly string[] | undefined): string[] {
  const parts = typeof given === "string" ? given.split(",") : (given ?? []);
  const urls = parts.map((url) => url.trim()).filter((url) => url !== "");
  return urls.length === 0 ? [DEFAULT_URL] : urls;
}

/** Whoever writes anything but `on` wants less, not more. */
function mayReport(environment: Environment): boolean {
  const telemetry = environment["HEADWATER_TELEMETRY"] || "on";
  const doNotTrack = environment["DO_NOT_TRACK"] || "0";
  return telemetry.toLowerCase() === "on" && ["0", "false"].includes(doNotTrack.toLowerCase());
}

function problemsOf(of: Settings): string[] {
  const { project, version, instance, urls, waitMs, dependencies } = of;
  return [
    ...projectProblems(project),
    ...(dependencies.length > reportDependenciesMax
      ? [
          `more than ${reportDependenciesMax} dependencies, which no node takes: give those with flags`,
        ]
      : dependencies.flatMap(dependencyProblems)),
    ...lengthProblems({ what: "version", text: version, lengthMax: versionLengthMax }),
    ...lengthProblems({ what: "instance", text: instance ?? "-", lengthMax: instanceLengthMax }),
    ...(instance === "" ? ["instance is empty: give one, or leave it out"] : []),
    ...(urls.length > urlsCountMax ? [`more than ${urlsCountMax} nodes to try`] : []),
    ...urls.flatMap(urlProblems),
    ...(waitMs >= 0 && waitMs <= connectWaitMsMax
      ? []
      : [`waitMs ${waitMs} is no time to wait: write milliseconds, such as ${connectWaitMs}`]),
  ];
}

function projectProblems(project: string): string[] {
  if (project === "") return ["no project: give connect() one, or set HEADWATER_PROJECT"];
  if (typeof project === "string" && isName(project)) return [];
  const mend = "write 1 to 100 of A-Z a-z 0-9 . _ - that begin with a letter or a digit";
  return [`project ${shown(project)} is no name: ${mend}`];
}

function dependencyProblems(of: { project: string; version: string }): string[] {
  const what = `version of ${shown(of.project)}`;
  return [
    ...projectProblems(of.project),
    ...lengthProblems({ what, text: of.version, lengthMax: versionLengthMax }),
  ];
}

function lengthProblems(of: { what: string; text: string; lengthMax: number }): string[] {
  if (typeof of.text !== "string") return [`${of.what} ${shown(of.text)} is no text`];
  if (of.text.length <= of.lengthMax) return [];
  return [`${of.what} ${shown(of.text)} is longer than ${of.lengthMax} characters`];
}

function urlProblems(url: string): string[] {
  if (/^https?:\/\/./i.test(url) && URL.canParse(url)) {
    if (!/[?#]/.test(url)) return [];
    return [
      `node ${shown(url)} has a query or a fragment, to which no path can be added: leave it out`,
    ];
  }
  const mend = url.includes("://") ? DEFAULT_URL : `http://${url}`;
  return [`node ${shown(url)} is no address: write it like ${mend}`];
}

/** Quotes and shortens, so that a problem stays one line whatever was given. */
function shown(value: unknown): string {
  const text = String(value);
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
