import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { type CheckGateResponse, GateConditionSchema } from "../../gen/headwater/v1/rollouts_pb.ts";
import { isName } from "../../relay/flag/name.ts";
import { quoted } from "../../relay/quoted.ts";
import { HeadwaterError } from "../error.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "./command.ts";
import { type ExitCode, exitCode } from "./exit-code.ts";
import { parseProject } from "./flag/flag-path.ts";
import { percentArgument } from "./flag/flag-saying.ts";
import { countOption } from "./number-option.ts";
import { formatCount, formatJson, formatTable } from "./output.ts";
import type { Color, Terminal } from "./terminal.ts";

interface GateOptions extends CommonOptions {
  readonly atLeast?: string;
  readonly active?: string;
  readonly share?: string;
  readonly verdict?: string;
  readonly release?: string;
  readonly flag?: string;
  readonly sites?: number;
  readonly unused?: string;
  readonly noneBelow?: string;
}

type Asked = NonNullable<MessageInitShape<typeof GateConditionSchema>["condition"]>;

export function addGateCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "gate",
    summary: "ask a yes-or-no question about a fleet, for pipelines",
    details:
      "Ends with 0 when all that is asked holds, with 1 when something does not, and with 4 when " +
      "that can not be known yet. Shares are of what runs at the sites that report, each site " +
      "counting once, however large.",
    examples: [
      "headwater gate horizon --at-least 2.3.0 --share 95%",
      "headwater gate horizon --verdict ok --release 2.3.0 --sites 5",
      "headwater gate horizon --active new-scheduler --share 99%",
      "headwater gate horizon --unused keystone-v2-api --sites 20",
    ],
  })
    .argument("<PROJECT>", "the project")
    .option("--at-least <RELEASE>", "--share of it runs this release or a newer one")
    .option("--active <FLAG>", "the flag is on for --share of it")
    .option("--share <PERCENT>", "for the two above; all of it where none is given")
    .option("--verdict <VERDICT>", "--release or --flag is judged ok, or degraded at worst")
    .option("--release <RELEASE>", "whose verdict is meant")
    .option("--flag <FLAG>", "whose verdict is meant")
    .option("--unused <FEATURE>", "a census has found that nobody who takes part uses it")
    .option("--none-below <RELEASE>", "a census has found that nothing older is left")
    .option("--sites <COUNT>", "while fewer sites report nothing is known", countOption)
    .action(
      answer(context, async (text: string, options: GateOptions) => gate(context, text, options)),
    );
}

async function gate(
  context: CommandContext,
  text: string,
  options: GateOptions,
): Promise<ExitCode> {
  const { terminal } = context;
  const project = parseProject(text);
  const asked = [...sharesAsked(options), ...verdictsAsked(options), ...censusAsked(options)];
  if (asked.length === 0)
    throw new HeadwaterError({
      kind: "invalid",
      message: "nothing is asked",
      hint: "Give --at-least, --active, --verdict, --unused or --none-below; --help shows how.",
    });
  const conditions = asked.map((condition) => create(GateConditionSchema, { condition }));
  const sitesMin = options.sites ?? 0;
  const response = await context.admin().rollouts.checkGate({ project, conditions, sitesMin });
  terminal.print(options.json ? formatJson(response) : gateText(response, terminal));
  return endings[response.answer] ?? exitCode.unknown;
}

const endings: Readonly<Record<string, ExitCode>> = {
  YES: exitCode.done,
  NO: exitCode.no,
  UNKNOWN: exitCode.unknown,
};

/** @throws HeadwaterError `invalid` */
function sharesAsked({ atLeast, active, share }: GateOptions): Asked[] {
  if (share !== undefined && atLeast === undefined && active === undefined)
    throw together("--share", "--at-least or --active");
  const basisPoints = percentArgument(share ?? "100%");
  const asked: Asked[] = [];
  if (atLeast !== undefined)
    asked.push({ case: "atLeast", value: { release: named(atLeast), basisPoints } });
  if (active !== undefined)
    asked.push({ case: "active", value: { flag: named(active), basisPoints } });
  return asked;
}

/** @throws HeadwaterError `invalid` */
function verdictsAsked({ verdict: text, release, flag }: GateOptions): Asked[] {
  const subjects = [
    ...(release === undefined ? [] : [{ kind: "RELEASE", name: named(release) }]),
    ...(flag === undefined ? [] : [{ kind: "FLAG", name: named(flag) }]),
  ];
  if (text === undefined && subjects.length === 0) return [];
  if (text === undefined) throw together("--release and --flag", "--verdict");
  if (subjects.length === 0) throw together("--verdict", "--release or --flag");
  const verdict = text.toUpperCase();
  if (verdict !== "OK" && verdict !== "DEGRADED")
    throw new HeadwaterError({
      kind: "invalid",
      message: `--verdict: ${quoted(text)} is none that can be asked for`,
      hint: "Write ok, or degraded for one that is not bad.",
    });
  return subjects.map((subject) => ({ case: "verdict", value: { ...subject, verdict } }));
}

function censusAsked({ unused, noneBelow }: GateOptions): Asked[] {
  const asked: Asked[] = [];
  if (unused !== undefined)
    asked.push({ case: "unused", value: { kind: "FEATURE", name: named(unused) } });
  if (noneBelow !== undefined)
    asked.push({ case: "unused", value: { kind: "BELOW", name: named(noneBelow) } });
  return asked;
}

function named(text: string): string {
  if (isName(text)) return text;
  throw new HeadwaterError({
    kind: "invalid",
    message: `${quoted(text)} is no name`,
    hint: "Write 1 to 100 letters, digits, dots, dashes and underscores.",
  });
}

function together(option: string, other: string): HeadwaterError {
  return new HeadwaterError({
    kind: "invalid",
    message: `${option} is not enough`,
    hint: `Give it with ${other}.`,
  });
}

const colors: Readonly<Record<string, Color>> = { YES: "green", NO: "red", UNKNOWN: "yellow" };

function gateText({ answer: said, checks, data }: CheckGateResponse, terminal: Terminal): string {
  const word = (text: string): string => terminal.paint(colors[text] ?? "dim", text.toLowerCase());
  const rows = checks.map((check) => [`  ${word(check.answer)}`, check.condition, check.reason]);
  const { reportersCount = 0, childrenCount = 0, own = false, windowsOldMax = 0 } = data ?? {};
  const children = reportersCount - (own ? 1 : 0);
  const connected = `${formatCount(childrenCount, "site")} connected`;
  const ownApps = own ? ", and own apps" : "";
  const complete = `${formatCount(children, "site")} reporting of ${connected}${ownApps}`;
  const age = `the oldest document is ${formatCount(windowsOldMax, "window")} old`;
  return `${word(said)}\n${formatTable({ head: [], rows, terminal })}\n  ${complete}; ${age}`;
}
