import { create } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { CensusSchema } from "../../../gen/headwater/v1/flag_pb.ts";
import { isName } from "../../../relay/flag/name.ts";
import { quoted } from "../../../relay/quoted.ts";
import { HeadwaterError } from "../../error.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { commitChanges } from "../commit/commit.ts";
import { censusEntry } from "../commit/ledger-entry.ts";
import { readLedger } from "../commit/ledger-view.ts";
import { type ExitCode, exitCode } from "../exit-code.ts";
import { parseProject } from "../flag/flag-path.ts";
import { durationOr } from "../number-option.ts";
import { formatJson } from "../output.ts";
import { formatTime } from "../time-text.ts";

interface OpenOptions extends CommonOptions {
  readonly feature?: string;
  readonly flag?: string;
  readonly below?: string;
  readonly window: number;
  readonly in: number;
  readonly note?: string;
}

/** As many as a document has places for. */
const slotsCount = 8;
const dayMs = 86_400_000;

export function addCensusOpenCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "open",
    summary: "ask everybody who takes part whether they still use something",
    details:
      "The question is signed into the project's ledger. It is answered for one window after the " +
      "other, counted from its opening, until it is closed; a year at most. Eight may be open at " +
      "once, each about something else, and 24 asked in a year. It opens a while after it is asked " +
      "for, so that it is known everywhere by then.",
    examples: [
      "headwater census open horizon --feature keystone-v2-api",
      "headwater census open horizon --below 2.3.0 --window 720h",
    ],
  })
    .argument("<PROJECT>", "the project")
    .option("--feature <FEATURE>", "is it used?")
    .option("--flag <FLAG>", "is it asked for?")
    .option("--below <RELEASE>", "does anything older still run?")
    .addOption(durationOr(90 * dayMs, "--window <TIME>", "how long nobody may have used it"))
    .addOption(durationOr(2 * dayMs, "--in <TIME>", "until it opens"))
    .option("--note <TEXT>", "why; travels with the question")
    .action(
      answer(context, async (text: string, options: OpenOptions) => open(context, text, options)),
    );
}

async function open(
  context: CommandContext,
  text: string,
  options: OpenOptions,
): Promise<ExitCode> {
  const { terminal } = context;
  const project = parseProject(text);
  const { kind, name } = subjectOf(options);
  const admin = context.admin();
  const view = await readLedger(admin, project);
  const known = kind === "BELOW" || view.entries.has(`${kind.toLowerCase()}/${name}`);
  if (!known)
    throw new HeadwaterError({
      kind: "unknown",
      message: `${project} has no ${kind.toLowerCase()} ${quoted(name)}`,
      hint: "Add it to the flag file, and apply that, first.",
    });
  const { censuses } = await admin.censuses.listCensuses({ project });
  const taken = new Set(censuses.flatMap((one) => (one.state === "CLOSED" ? [] : one.slot)));
  const slot = Array.from({ length: slotsCount }, (_, n) => n).find((n) => !taken.has(n));
  if (slot === undefined)
    throw new HeadwaterError({
      kind: "limit",
      message: `${slotsCount} censuses are open already`,
      hint: "`headwater census close` closes one.",
    });
  const census = create(CensusSchema, {
    kind,
    name,
    slot,
    openedMs: BigInt(terminal.wallMs() + options.in),
    windowMs: BigInt(options.window),
    note: options.note ?? "",
  });
  const { key, value } = censusEntry(census);
  await commitChanges(context, { view, changes: [{ key, before: undefined, after: value }] });
  const json = { project, key, openedMs: census.openedMs, windowMs: census.windowMs };
  const opens = formatTime(Number(census.openedMs));
  const first = formatTime(Number(census.openedMs + census.windowMs));
  terminal.print(
    options.json ? formatJson(json) : `${key} opens ${opens}; its first window ends ${first}`,
  );
  return exitCode.done;
}

/** @throws HeadwaterError `invalid` for none, or more than one */
function subjectOf({ feature, flag, below }: OpenOptions): { kind: string; name: string } {
  const given = [
    ...(feature === undefined ? [] : [{ kind: "FEATURE", name: feature }]),
    ...(flag === undefined ? [] : [{ kind: "FLAG", name: flag }]),
    ...(below === undefined ? [] : [{ kind: "BELOW", name: below }]),
  ];
  const [one] = given;
  if (one !== undefined && given.length === 1 && isName(one.name)) return one;
  throw new HeadwaterError({
    kind: "invalid",
    message: "a census is about one feature, flag or release",
    hint: "Give one of --feature, --flag and --below.",
  });
}
