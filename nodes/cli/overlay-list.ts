import type { Command } from "commander";
import type { LedgerStatus } from "../../gen/headwater/v1/nodes_pb.ts";
import { ruleFlag } from "../../relay/ledger/entry.ts";
import { formatFingerprint } from "../config/fingerprint.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "./command.ts";
import { exitCode } from "./exit-code.ts";
import { parseProject } from "./flag-path.ts";
import { ruleWords } from "./flag-words.ts";
import { readRule } from "./ledger-entry.ts";
import { namesOf, readLedger } from "./ledger-view.ts";
import { formatJson, formatTable } from "./output.ts";
import { layersOf, noOverlayHint, ownOverlay, readOwnOverlay } from "./overlay-ledger.ts";

/** One rule of one overlay. */
interface ListedRule {
  readonly flag: string;
  readonly says: string;
  readonly note: string;
  readonly authority: Uint8Array;
  readonly from: string;
  readonly granted: boolean;
}

export function addOverlayListCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "list",
    summary: "list what overlays say about a project's flags",
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
  return namesOf(view, "rule").map((name) => {
    const rule = readRule(view.entries.get(`rule/${name}`) ?? new Uint8Array(0));
    return {
      flag: ruleFlag(name),
      says: rule === undefined ? "not understood" : ruleWords(rule),
      note: rule?.note ?? "",
      authority: ledger.authority,
      from: writable ? "written here" : primary,
      granted: !ungranted.includes(`rule/${name}`),
    };
  });
}

function listText(
  rules: readonly ListedRule[],
  { project, context }: { project: string; context: CommandContext },
): string {
  if (rules.length === 0) return `no overlay says anything about ${project}`;
  const rows = rules.map(({ flag, says, note, authority, from, granted }) => [
    flag,
    granted ? says : `${says} (without a grant, so without effect)`,
    note,
    from,
    formatFingerprint(authority),
  ]);
  const head = ["flag", "says", "note", "from", "authority"];
  return formatTable({ head, rows, terminal: context.terminal });
}
