import { readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import type { Envelope } from "../../gen/headwater/v1/ledger_pb.ts";
import { splitEntryKey } from "../../relay/ledger/entry.ts";
import { bytesEqual } from "../../relay/trust/key.ts";
import { HeadwaterError } from "../error.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "./command.ts";
import { changeLines, changeRecords } from "./commit/change-lines.ts";
import { commitChanges } from "./commit/commit.ts";
import { commitName } from "./commit/commit-name.ts";
import { ledgerKeyFile, readLedgerKey, signedHead } from "./commit/ledger-key.ts";
import { aliasesOf, type LedgerView, positionText, readLedger } from "./commit/ledger-view.ts";
import { type Change, liftsKill, planChanges } from "./commit/plan.ts";
import { readSignedChange, signedChangeText } from "./commit/signed-change.ts";
import { agreed } from "./consent.ts";
import { type ExitCode, exitCode } from "./exit-code.ts";
import {
  type FlagFile,
  flagFileSections,
  mergeFlagFiles,
  parseFlagFile,
} from "./file/flag-file.ts";
import { writePublicFile } from "./keys/key-file.ts";
import { formatJson } from "./output.ts";
import { problemsError } from "./problems.ts";
import { assertNotOwned } from "./rollout/rollout-owner.ts";

interface ApplyOptions extends CommonOptions {
  readonly file?: readonly string[];
  readonly signed?: string;
  readonly signWith?: string;
  readonly out?: string;
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
      "change would be refused; the last line, and `changes` of --json, say how much it is.\n\n" +
      "Where the ledger key is not at the node, --sign-with signs here, with a key file or the " +
      "recovery grant of the term; with --out the change is only written, and --signed hands it over.",
    examples: [
      "headwater apply -f horizon.yaml",
      "headwater apply -f flags.yaml releases.yaml --prune --yes",
      "headwater apply -f horizon.yaml --sign-with horizon.ledger.key --out horizon.change",
      "headwater apply --signed horizon.change --yes",
    ],
  })
    .option("-f, --file <FILE...>", "flag files, YAML or JSON; - is stdin")
    .addOption(
      new Option("--signed <FILE>", "a change that was signed elsewhere").conflicts([
        "file",
        "signWith",
        "out",
        "prune",
        "revive",
      ]),
    )
    .option("--sign-with <FILE>", "sign here, with this ledger key")
    .option("--out <FILE>", "write the signed change to a file instead of making it")
    .option("--yes", "do not ask")
    .option("--dry-run", "only show the difference")
    .option(
      "--prune",
      "delete what the files' sections lack: flags, releases, features, crashes, aliases, libraries",
    )
    .option("--revive", "let kills be lifted")
    .option("--commit <COMMIT>", "where the files are kept, for the history; else as CI says")
    .action(answer(context, async (options: ApplyOptions) => apply(context, options)));
}

/** What is to be made, and the head that was signed for it, if that was done elsewhere. */
interface Wanted {
  readonly view: LedgerView;
  readonly changes: readonly Change[];
  readonly head?: Envelope | undefined;
}

async function apply(context: CommandContext, options: ApplyOptions): Promise<ExitCode> {
  const { terminal } = context;
  const commit = commitName(options.commit, terminal.env);
  const wanted = await wantedBy(context, options);
  const { view, changes } = wanted;
  const { project } = view.ledger;
  const report = (changed: boolean, position: LedgerView["position"]): ExitCode => {
    const records = changeRecords(changes);
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
  const question = options.out === undefined ? `Apply to ${project}?` : `Sign it for ${project}?`;
  if (!(await agreed(terminal, { yes: options.yes, question }))) return exitCode.no;
  const head = wanted.head ?? headFor(context, wanted, options);
  if (options.out !== undefined && head !== undefined) {
    writePublicFile(options.out, signedChangeText({ view, changes, head }));
    if (!options.json) terminal.note(`next: headwater apply --signed ${options.out}`);
    return report(false, view.position);
  }
  const { position, changed } = await commitChanges(context, { view, changes, head, commit });
  return report(changed, position);
}

async function wantedBy(context: CommandContext, options: ApplyOptions): Promise<Wanted> {
  const admin = context.admin();
  if (options.signed !== undefined) {
    const { project, ledger, previous, entries, tombstones, head } = readSignedChange(
      options.signed,
    );
    const held = await readLedger(admin, project, ledger?.authority);
    const view = { ...held, position: previous ?? held.position };
    const after = new Map(entries.map(({ key, value }) => [key, value]));
    const changes = [...after.keys(), ...tombstones]
      .map((key) => ({ key, before: held.entries.get(key), after: after.get(key) }))
      .filter((change) => !isSame(change));
    return { view, changes, head };
  }
  if (options.file === undefined)
    throw new HeadwaterError({
      kind: "invalid",
      message: "nothing to apply",
      hint: "Give a flag file with -f, or a signed change with --signed.",
    });
  const file = await readFiles(options.file, context);
  const view = await readLedger(admin, file.project);
  const changes = planned(file, view, options);
  await assertNotOwned(admin, file.project, changes);
  return { view, changes };
}

function isSame({ before, after }: Change): boolean {
  if (before === undefined || after === undefined) return before === after;
  return bytesEqual(before, after);
}

/** @throws HeadwaterError `invalid` for --out without a key */
function headFor(
  { terminal }: CommandContext,
  { view, changes }: Wanted,
  options: ApplyOptions,
): Envelope | undefined {
  const { signWith, out } = options;
  const path = signWith ?? (out === undefined ? undefined : ledgerKeyFile(terminal.env));
  if (path !== undefined)
    return signedHead({ view, changes, by: readLedgerKey(path), wallMs: terminal.wallMs() });
  if (out === undefined) return undefined;
  throw new HeadwaterError({
    kind: "invalid",
    message: "--out: there is no key to sign with",
    hint: "Give --sign-with FILE, or set HEADWATER_LEDGER_KEY_FILE.",
  });
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
