import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { splitEntryKey } from "../../relay/ledger/entry.ts";
import { HeadwaterError } from "../error.ts";
import { changeLines, changeRecords } from "./change-lines.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "./command.ts";
import { commitChanges } from "./commit.ts";
import { commitName } from "./commit-name.ts";
import { agreed } from "./consent.ts";
import { type ExitCode, exitCode } from "./exit-code.ts";
import { type FlagFile, flagFileSections, mergeFlagFiles, parseFlagFile } from "./flag-file.ts";
import { aliasesOf, type LedgerView, positionText, readLedger } from "./ledger-view.ts";
import { formatJson } from "./output.ts";
import { type Change, liftsKill, planChanges } from "./plan.ts";
import { problemsError } from "./problems.ts";

interface ApplyOptions extends CommonOptions {
  readonly file: readonly string[];
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly prune?: boolean;
  readonly revive?: boolean;
  readonly commit?: string;
}

export function addApplyCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "apply",
    summary: "make flags as a file says",
    details:
      "Shows the difference and asks. A file says all of a flag: what it leaves out of one is " +
      "gone. Flags that it does not name stay, unless --prune is given. Either everything is " +
      "changed or nothing is. A kill is never lifted without --revive.\n\n" +
      "With --dry-run the exit code is 0, whether or not something would change, unless the " +
      "change would be refused; the last line, and `changes` of --json, say how much it is.",
    examples: [
      "headwater apply -f horizon.yaml",
      "headwater apply -f flags.yaml releases.yaml --prune --yes",
    ],
  })
    .requiredOption("-f, --file <FILE...>", "flag files, YAML or JSON; - is stdin")
    .option("--yes", "do not ask")
    .option("--dry-run", "only show the difference")
    .option("--prune", "delete what the files' sections lack: flags, releases, features, aliases")
    .option("--revive", "let kills be lifted")
    .option("--commit <COMMIT>", "where the files are kept, for the history; else as CI says")
    .action(answer(context, async (options: ApplyOptions) => apply(context, options)));
}

async function apply(context: CommandContext, options: ApplyOptions): Promise<ExitCode> {
  const { terminal } = context;
  const commit = commitName(options.commit, terminal.env);
  const file = await readFiles(options.file, context);
  const view = await readLedger(context.admin(), file.project);
  const changes = planned(file, view, options);
  const report = (changed: boolean, position: LedgerView["position"]): ExitCode => {
    const records = changeRecords(changes);
    const { project } = file;
    if (options.json)
      terminal.print(
        formatJson({ project, changed, position, count: changes.length, changes: records }),
      );
    else if (changed) terminal.print(`applied; ${project} is at ${positionText(position)}`);
    return exitCode.done;
  };
  if (!options.json) {
    if (changes.length > 0) terminal.print(changeLines(changes, terminal));
    terminal.print(`changes: ${changes.length}`);
  }
  if (changes.length === 0 || options.dryRun) return report(false, view.position);
  if (!(await agreed(terminal, { yes: options.yes, question: `Apply to ${file.project}?` })))
    return exitCode.no;
  const { position, changed } = await commitChanges(context, { view, changes, commit });
  return report(changed, position);
}

/** @throws HeadwaterError `invalid` with all problems, `conflict` for a lifted kill */
function planned(file: FlagFile, view: LedgerView, options: ApplyOptions): Change[] {
  const pruned = [...file.sections].map((section): string => flagFileSections[section]);
  const changes = planChanges({
    held: view.entries,
    wanted: file.entries,
    pruned: new Set(options.prune ? pruned : []),
  });
  const problems = danglingAliases(view, changes);
  if (problems.length > 0) throw problemsError({ title: "aliases of no release", problems });
  const lifted = changes.filter(liftsKill).map(({ key }) => splitEntryKey(key).name);
  if (lifted.length === 0 || options.revive) return changes;
  throw new HeadwaterError({
    kind: "conflict",
    message: `this would lift the kill of ${lifted.join(", ")}`,
    hint: "Write the kill into the file, or give --revive if it is really over.",
  });
}

function danglingAliases(view: LedgerView, changes: readonly Change[]): string[] {
  const entries = new Map(view.entries);
  for (const { key, after } of changes) {
    if (after === undefined) entries.delete(key);
    else entries.set(key, after);
  }
  return [...aliasesOf({ ...view, entries })].flatMap(([alias, release]) =>
    entries.has(`release/${release}`)
      ? []
      : `${alias} is to be ${release}, which is not among the releases: add it there`,
  );
}

async function readFiles(paths: readonly string[], context: CommandContext): Promise<FlagFile> {
  const files: FlagFile[] = [];
  const problems: string[] = [];
  for (const path of paths) {
    const text = path === "-" ? await context.terminal.readInput() : readText(path);
    const outcome = parseFlagFile({ path: path === "-" ? "stdin" : path, text });
    if ("file" in outcome) files.push(outcome.file);
    else problems.push(...outcome.problems);
  }
  const merged = problems.length > 0 ? { problems } : mergeFlagFiles(files);
  if ("file" in merged) return merged.file;
  const title = merged.problems.length === 1 ? "a problem" : `${merged.problems.length} problems`;
  throw problemsError({ title: `${title} in the flag file`, problems: merged.problems });
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (thrown) {
    throw new HeadwaterError({
      kind: "invalid",
      message: `cannot read ${path}`,
      hint: "-f takes the path of a flag file, or - for stdin.",
      cause: thrown,
    });
  }
}
