import { create, toBinary } from "@bufbuild/protobuf";
import { RuleSchema } from "../gen/headwater/v1/flag_pb.ts";
import { CommitRequestSchema } from "../gen/headwater/v1/ledgers_pb.ts";
import { type Effect, logged } from "./effect.ts";
import type { Moment } from "./event.ts";
import { parseRange } from "./flag/version-range.ts";
import { type Layer, ruleFor } from "./layers/layer.ts";
import type { Project } from "./layers/project.ts";
import { entryKey, ruleFlag, ruleName, splitEntryKey } from "./ledger/entry.ts";
import { prepareChange } from "./operations/commit.ts";

import type { NodeParts } from "./parts.ts";
import type { Consequence } from "./staged.ts";
import type { TrialNews } from "./telemetry/trial/trials.ts";

const every = "*";

/** Who the audit says has killed. */
const actor = "HEADWATER_ON_BAD";

/** Tells of new verdicts, and kills what is bad in this site's own overlay if it is to. */
export function reactionTo(parts: NodeParts, news: readonly TrialNews[], at: Moment): Consequence {
  const told = news.map(newsLine);
  const bad = news.filter(({ verdict }) => verdict === "BAD");
  if (parts.settings.onBad === "REPORT" || bad.length === 0)
    return { writes: [], accept: () => told };
  const projects = [...new Set(bad.map(({ project }) => project))];
  const kills = projects.map((project) =>
    killOf(parts, { project, bad: bad.filter((one) => one.project === project), at }),
  );
  return {
    writes: kills.flatMap(({ writes }) => writes),
    accept: () => [...told, ...kills.flatMap((kill) => kill.accept())],
  };
}

function newsLine({ project, kind, name, against, verdict }: TrialNews): Effect {
  const other = kind === "FLAG" ? "off" : against;
  const message = `${project}: ${kind.toLowerCase()} ${name} against ${other} is ${verdict}`;
  return logged(verdict === "BAD" ? "warn" : "info", "verdict", message);
}

function killOf(
  parts: NodeParts,
  of: { project: string; bad: readonly TrialNews[]; at: Moment },
): Consequence {
  const { holdings } = parts;
  const project = holdings.projects.get(of.project);
  const authority = holdings.ownOverlayOf(of.project);
  if (project === undefined || authority === undefined)
    return failure(of.project, noOverlay(of.project));
  const name = { authority, project: of.project };
  const ledger = holdings.ledger(name);
  const scopes = of.bad.flatMap((news) => killedScopes(project, news, of.at.wallMs));
  const entries = mergedScopes(scopes, ledger && project.layerOf(ledger)).map(([flag, versions]) =>
    killEntry({ flag, versions, site: parts.settings.site }),
  );
  if (entries.length === 0)
    return failure(of.project, "no path is taken there that was not taken before");
  const request = create(CommitRequestSchema, { ledger: name, entries });
  const commit = prepareChange(parts, { request, at: of.at, by: { actor } });
  if (!commit.ok) return failure(of.project, commit.refusal.message);
  const flags = entries.map(({ key }) => ruleFlag(splitEntryKey(key).name)).join(", ");
  return {
    writes: commit.value.writes,
    accept: () => [
      logged("warn", "killed", `${of.project}: ${flags}, in this site's own overlay`),
      ...commit.value.accept().effects,
    ],
  };
}

/** Why a node that is told to kill could not, with what to do about it. */
export function noOverlay(project: string): string {
  return (
    `HEADWATER_ON_BAD is kill, and this node writes no overlay of ${project} to kill in: ` +
    `\`headwater init ${project} --overlay\` makes one`
  );
}

function failure(project: string, why: string): Consequence {
  return { writes: [], accept: () => [logged("error", "kill-failed", `${project}: ${why}`)] };
}

type KilledScope = readonly [flag: string, versions: string];

/** A bad flag is off for every build; of a bad release the paths that the one before did not take. */
function killedScopes(project: Project, news: TrialNews, wallMs: number): KilledScope[] {
  if (news.kind === "FLAG") return [[news.name, every]];
  const share = (release: string, flag: string): number =>
    project.effective(flag, project.buildOf(release, wallMs), wallMs)?.basisPoints ?? 0;
  const taken = [...project.own.flags.keys()].filter(
    (flag) => share(news.name, flag) > 0 && share(news.against, flag) === 0,
  );
  return taken.map((flag) => [flag, `=${news.name}`]);
}

/** With the kills that the overlay has already: a rule for one flag replaces the one for all. */
function mergedScopes(scopes: readonly KilledScope[], layer: Layer | undefined): KilledScope[] {
  const merged = new Map<string, string>();
  for (const [flag, versions] of scopes) {
    const held = layer && ruleFor(layer.kills, flag)?.effect.versions;
    const before = merged.get(flag) ?? (held === "" ? every : held);
    merged.set(flag, before === undefined ? versions : joined(before, versions));
  }
  return [...merged];
}

function joined(held: string, added: string): string {
  if (held === every || added === every) return every;
  const both = `${held} || ${added}`;
  return "problem" in parseRange(both) ? every : both;
}

function killEntry(of: { flag: string; versions: string; site: string }): {
  key: string;
  value: Uint8Array;
} {
  const rule = create(RuleSchema, { flag: of.flag, note: `a bad verdict at ${of.site}` });
  rule.effect = { case: "kill", value: { $typeName: "headwater.v1.Kill", versions: of.versions } };
  return { key: entryKey("rule", ruleName("kill", of.flag)), value: toBinary(RuleSchema, rule) };
}
