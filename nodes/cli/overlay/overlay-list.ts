import type { Command } from "commander";
import type { LedgerStatus } from "../../../gen/headwater/v1/nodes_pb.ts";
import { ruleFlag } from "../../../relay/ledger/entry.ts";
import { formatFingerprint } from "../../config/fingerprint.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { readRule } from "../commit/ledger-entry.ts";
import { aliasesOf, namesOf, readLedger } from "../commit/ledger-view.ts";
import { exitCode } from "../exit-code.ts";
import { parseProject } from "../flag/flag-path.ts";
import { ruleWords } from "../flag/flag-words.ts";
import { formatJson, formatTable } from "../output.ts";
import { layersOf, noOverlayHint, ownOverlay, readOwnOverlay } from "./overlay-ledger.ts";

/** One rule of one overlay, about a flag, or one alias, of a build. */
interface ListedRule {
  readonly flag?: string;
  readonly build?: string;
  readonly says: string;
  readonly note: string;
  readonly authority: Uint8Array;
  readonly from: string;
  readonly granted: boolean;
}

export function addOverlayListCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "list",
    summary: "list what overlays say about a project's flags and builds",
    details: "This node's own overlay, and those that were pinned from upstream.",
    examples: ["headwater overlay list horizon"],
  })
    .argument("<PROJECT>", "the project")
    .action(
      answer(context, async (text: string, options: CommonOptions) => {
        const project = parseProject(text);
        const { terminal } = context;
        const layers = (await layersOf(context.admin(), project)) ?? [];
        // A node without any overlay is told how to have one.
        if (layers.length < 2) await readOwnOverlay(context.admin(), project);
        const rules: ListedRule[] = [];
        for (const layer of layers.slice(1))
          rules.push(...(await rulesOf(context, project, layer)));
        if (options.json) {
          terminal.print(formatJson({ project, rules }));
          return exitCode.done;
        }
        terminal.print(listText(rules, { project, context }));
        if (ownOverlay(layers) === undefined)
          terminal.note(`none of these is this node's own; ${noOverlayHint(project)}`);
        return exitCode.done;
      }),
    );
}

async function rulesOf(
  context: CommandContext,
  project: string,
  layer: LedgerStatus,
): Promise<ListedRule[]> {
  const { ledger, position, writable, primary, ungranted } = layer;
  if (ledger === undefined || position === undefined) return [];
  const view = await readLedger(context.admin(), project, ledger.authority);
  const { authority } = ledger;
  const from = writable ? "written here" : primary;
  const rules = namesOf(view, "rule").map((name): ListedRule => {
    const rule = readRule(view.entries.get(`rule/${name}`) ?? new Uint8Array(0));
    const says = rule === undefined ? "not understood" : ruleWords(rule);
    const granted = !ungranted.includes(`rule/${name}`);
    return { flag: ruleFlag(name), says, note: rule?.note ?? "", authority, from, granted };
  });
  const aliases = [...aliasesOf(view)].map(([build, release]): ListedRule => {
    const says = release === "" ? "not understood" : `is ${release}`;
    const granted = !ungranted.includes(`alias/${build}`);
    return { build, says, note: "", authority, from, granted };
  });
  return [...rules, ...aliases];
}

function listText(
  rules: readonly ListedRule[],
  { project, context }: { project: string; context: CommandContext },
): string {
  if (rules.length === 0) return `no overlay says anything about ${project}`;
  const rows = rules.map(({ flag, build, says, note, authority, from, granted }) => [
    flag ?? build ?? "",
    granted ? says : `${says} (without a grant, so without effect)`,
    note,
    from,
    formatFingerprint(authority),
  ]);
  const head = ["about", "says", "note", "from", "authority"];
  return formatTable({ head, rows, terminal: context.terminal });
}
