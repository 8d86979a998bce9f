import type { LedgerStatus } from "../../../gen/headwater/v1/nodes_pb.ts";
import { isName } from "../../../relay/flag/name.ts";
import type { RuleEffect } from "../../../relay/ledger/entry.ts";
import { quoted } from "../../../relay/quoted.ts";
import { HeadwaterError } from "../../error.ts";
import type { AdminClient } from "../admin-client.ts";
import type { CommandContext } from "../command.ts";
import { type RuleSaying, readRule, ruleEntry, ruleKey } from "../commit/ledger-entry.ts";
import { type LedgerView, readLedger } from "../commit/ledger-view.ts";
import { planChanges } from "../commit/plan.ts";
import type { ExitCode } from "../exit-code.ts";
import { makeChanges } from "../flag/flag-edit.ts";
import type { FlagPath } from "../flag/flag-path.ts";

/** What a rule is about: a flag, or with `*` all that the project has or will have. */
export const everyFlag = "*";

/** @throws HeadwaterError `invalid` */
export function parseRulePath(text: string): FlagPath {
  const [project = "", flag = "", ...rest] = text.split("/");
  const isFlag = flag === everyFlag || isName(flag);
  if (isName(project) && isFlag && rest.length === 0) return { project, flag };
  throw new HeadwaterError({
    kind: "invalid",
    message: `${quoted(text)} names neither a flag nor all of a project`,
    hint: "Write PROJECT/FLAG, such as horizon/new-scheduler, or in quotes 'horizon/*'.",
  });
}

/** A project's layers at this node, its own ledger first; undefined when it is not held. */
export async function layersOf(
  admin: AdminClient,
  project: string,
): Promise<readonly LedgerStatus[] | undefined> {
  const { projects } = await admin.nodes.getStatus({});
  return projects.find((one) => one.project === project)?.layers;
}

/**
 * The overlay that this node writes.
 * @throws HeadwaterError `unknown` when it writes none
 */
export async function readOwnOverlay(admin: AdminClient, project: string): Promise<LedgerView> {
  const layers = await layersOf(admin, project);
  if (layers === undefined) {
    // So that an unknown project is told of as everywhere else.
    await admin.ledgers.getLedger({ project });
    throw new HeadwaterError({ kind: "unavailable", message: `${project} has only just come` });
  }
  const authority = ownOverlay(layers)?.ledger?.authority;
  if (authority !== undefined) return readLedger(admin, project, authority);
  throw new HeadwaterError({
    kind: "unknown",
    message: `this node writes no overlay of ${project}`,
    hint: noOverlayHint(project),
  });
}

export function ownOverlay(layers: readonly LedgerStatus[]): LedgerStatus | undefined {
  return layers.slice(1).find(({ writable }) => writable);
}

export function noOverlayHint(project: string): string {
  return `\`headwater init ${project} --overlay\` makes one.`;
}

/** A rule as it is; undefined when there is none that this version can read. */
export function ruleIn(
  view: LedgerView,
  effect: RuleEffect,
  flag: string,
): ReturnType<typeof readRule> {
  const value = view.entries.get(ruleKey(effect, flag));
  return value === undefined ? undefined : readRule(value);
}

/** Makes one rule as given, says what that changed, and ends. */
export async function putRule(
  context: CommandContext,
  of: { view: LedgerView; rule: RuleSaying; json: boolean | undefined },
): Promise<ExitCode> {
  const { view, rule, json } = of;
  await tellOfNoFlag(context, { project: view.ledger.project, flag: rule.flag });
  const wanted = [ruleEntry(rule)];
  const changes = planChanges({ held: view.entries, wanted, pruned: new Set() });
  return makeChanges(context, { view, changes, json, title: overlayTitle(view) });
}

/** A rule may be there before its flag; most often the name is wrong. */
async function tellOfNoFlag(context: CommandContext, { project, flag }: FlagPath): Promise<void> {
  if (flag === everyFlag) return;
  // Where nothing verified is held of the project, nobody knows.
  const held = await readLedger(context.admin(), project).catch(() => undefined);
  if (held?.entries.has(`flag/${flag}`) === false)
    context.terminal.note(
      `${project} has no flag ${flag} yet; the rule waits for one of that name`,
    );
}

export function overlayTitle({ ledger }: LedgerView): string {
  return `the overlay of ${ledger.project}`;
}
