import { styleText } from "node:util";
import { Command, CommanderError } from "commander";
import type { HeadwaterError } from "../error.ts";
import { software } from "../software.ts";
import { type AdminClient, openAdminClient } from "./admin-client.ts";
import { adminError } from "./admin-error.ts";
import { addApplyCommand } from "./apply.ts";
import { addAuditCommand } from "./audit.ts";
import { addBackupCommand } from "./backup.ts";
import { addCensusCloseCommand } from "./census/census-close.ts";
import { addCensusEnrollCommands } from "./census/census-enroll.ts";
import { addCensusOpenCommand } from "./census/census-open.ts";
import { addCensusAnswerCommand, addCensusShowCommand } from "./census/census-show.ts";
import { addChildAddCommand } from "./child/child-add.ts";
import { addChildListCommand } from "./child/child-list.ts";
import { addChildRevokeCommand } from "./child/child-revoke.ts";
import { addTokenAddCommand } from "./child/token-add.ts";
import { addTokenListCommand } from "./child/token-list.ts";
import { addTokenRevokeCommand } from "./child/token-revoke.ts";
import { addCommandGroup, type CommandContext } from "./command.ts";
import { addCompletionCommands } from "./completion.ts";
import { addDashboardCommand } from "./dashboard.ts";
import { type ExitCode, exitCode, exitCodeOf } from "./exit-code.ts";
import { addExplainCommand } from "./explain.ts";
import { addExportCommand } from "./export.ts";
import { addFlagDeleteCommand } from "./flag/flag-delete.ts";
import { addFlagGetCommand } from "./flag/flag-get.ts";
import { addFlagHistoryCommand } from "./flag/flag-history.ts";
import { addFlagKillCommand } from "./flag/flag-kill.ts";
import { addFlagListCommand } from "./flag/flag-list.ts";
import { addFlagReviveCommand } from "./flag/flag-revive.ts";
import { addFlagSetCommand } from "./flag/flag-set.ts";
import { addFleetCommand } from "./fleet.ts";
import { addGateCommand } from "./gate.ts";
import { addImportCommand } from "./import.ts";
import { addInitCommand } from "./init.ts";
import { addJoinCommand } from "./join.ts";
import { addKeysGrantCommand } from "./keys/keys-grant.ts";
import { addKeysImportCommand } from "./keys/keys-import.ts";
import {
  addKeysGenerateCommand,
  addKeysRotateCommand,
  addKeysSignCommand,
} from "./keys/keys-rotate.ts";
import { addKeysExportCommand, addKeysShowCommand } from "./keys/keys-show.ts";
import { addNodeCommand } from "./node.ts";
import { addOverlayAliasCommand } from "./overlay/overlay-alias.ts";
import { addOverlayCapCommand } from "./overlay/overlay-cap.ts";
import { addOverlayClearCommand } from "./overlay/overlay-clear.ts";
import { addOverlayHoldCommand } from "./overlay/overlay-hold.ts";
import { addOverlayKillCommand } from "./overlay/overlay-kill.ts";
import { addOverlayListCommand } from "./overlay/overlay-list.ts";
import { addOverlayPinCommand } from "./overlay/overlay-pin.ts";
import { addPromoteCommand } from "./promote.ts";
import { addRolloutChangeCommands } from "./rollout/rollout-change.ts";
import { addRolloutStartCommand } from "./rollout/rollout-start.ts";
import { addRolloutStatusCommand } from "./rollout/rollout-status.ts";
import { addSchemaCommand } from "./schema.ts";
import { addStatusCommand } from "./status.ts";
import { addTelemetryDiscloseCommand } from "./telemetry/telemetry-disclose.ts";
import { addTelemetryLogCommand } from "./telemetry/telemetry-log.ts";
import { addTelemetryPreviewCommand } from "./telemetry/telemetry-preview.ts";
import type { Terminal } from "./terminal.ts";
import { addWatchCommand } from "./watch.ts";

/** Runs one command line, without the program's name; what the process is to exit with. */
export async function runCommandLine(
  args: readonly string[],
  terminal: Terminal,
): Promise<ExitCode> {
  let admin: AdminClient | undefined;
  let code: ExitCode = exitCode.done;
  const program = createProgram({
    terminal,
    admin: () => (admin ??= openAdminClient(terminal.env, terminal.actor)),
    finish: (ending) => {
      code = ending;
    },
  });
  try {
    await program.parseAsync(asOption(args), { from: "user" });
    return code;
  } catch (thrown) {
    // Commander has told what was wrong; help and version are no failures to it.
    if (thrown instanceof CommanderError)
      return thrown.exitCode === 0 ? exitCode.done : exitCode.usage;
    return failed(adminError(thrown, { url: admin?.url ?? "", env: terminal.env }), terminal);
  }
}

/** `help flag set` is `flag set --help`: commander's own command of that name looks at one word. */
function asOption(args: readonly string[]): readonly string[] {
  const [first, ...command] = args;
  return first === "help" && command.length > 1 ? [...command, "--help"] : args;
}

/** All commands. */
export function createProgram(context: CommandContext): Command {
  const program = new Command("headwater")
    .description("Feature flags from an open-source project to every running copy.")
    .version(software, "--version", "print the version")
    // So that a command may have a --version of its own.
    .enablePositionalOptions()
    .exitOverride()
    .configureHelp({ styleTitle: (title) => styleText("bold", title, { validateStream: false }) })
    .configureOutput({
      writeOut: (text) => context.terminal.print(text.trimEnd()),
      writeErr: (text) => context.terminal.note(text.trimEnd()),
      outputError: (text) => context.terminal.note(usageError(text)),
      getOutHelpWidth: () => context.terminal.columnsCount,
      getErrHelpWidth: () => context.terminal.columnsCount,
    })
    .addHelpText(
      "after",
      "\nExample:\n  $ headwater status\n\n`headwater COMMAND --help` shows how a command is used.",
    );
  addNodeCommand(program, context);
  addInitCommand(program, context);
  addApplyCommand(program, context);
  addFlagCommands(program, context);
  addOverlayCommands(program, context);
  addExplainCommand(program, context);
  addWatchCommand(program, context);
  addStatusCommand(program, context);
  addFleetCommand(program, context);
  addGateCommand(program, context);
  addCensusCommands(program, context);
  addRolloutCommands(program, context);
  addTelemetryCommands(program, context);
  addChildCommands(program, context);
  addJoinCommand(program, context);
  addKeysCommands(program, context);
  addPromoteCommand(program, context);
  addTokenCommands(program, context);
  addSchemaCommand(program, context);
  addAuditCommand(program, context);
  addDashboardCommand(program, context);
  addBackupCommand(program, context);
  addImportCommand(program, context);
  addExportCommand(program, context);
  addCompletionCommands(program, context);
  return program;
}

function addFlagCommands(program: Command, context: CommandContext): void {
  const flag = addCommandGroup(program, {
    name: "flag",
    summary: "list, set, kill and delete flags",
    examples: ["headwater flag set horizon/new-scheduler 5%"],
  });
  addFlagListCommand(flag, context);
  addFlagGetCommand(flag, context);
  addFlagSetCommand(flag, context);
  addFlagKillCommand(flag, context);
  addFlagReviveCommand(flag, context);
  addFlagDeleteCommand(flag, context);
  addFlagHistoryCommand(flag, context);
}

function addOverlayCommands(program: Command, context: CommandContext): void {
  const overlay = addCommandGroup(program, {
    name: "overlay",
    summary: "cap, hold and kill flags of upstream, in a layer of your own",
    examples: ["headwater overlay cap horizon/new-scheduler 1% --note 'waiting for QA'"],
  });
  addOverlayCapCommand(overlay, context);
  addOverlayHoldCommand(overlay, context);
  addOverlayKillCommand(overlay, context);
  addOverlayPinCommand(overlay, context);
  addOverlayAliasCommand(overlay, context);
  addOverlayClearCommand(overlay, context);
  addOverlayListCommand(overlay, context);
}

function addCensusCommands(program: Command, context: CommandContext): void {
  const census = addCommandGroup(program, {
    name: "census",
    summary: "ask whether anyone still uses something, and take part",
    examples: ["headwater census open horizon --feature keystone-v2-api"],
  });
  addCensusOpenCommand(census, context);
  addCensusShowCommand(census, context);
  addCensusCloseCommand(census, context);
  addCensusEnrollCommands(census, context);
  addCensusAnswerCommand(census, context);
}

function addRolloutCommands(program: Command, context: CommandContext): void {
  const rollout = addCommandGroup(program, {
    name: "rollout",
    summary: "raise flags step by step, each step a gate",
    examples: ["headwater rollout start horizon/new-scheduler --steps 1%,5%,25%,100%"],
  });
  addRolloutStartCommand(rollout, context);
  addRolloutStatusCommand(rollout, context);
  addRolloutChangeCommands(rollout, context);
}

function addTelemetryCommands(program: Command, context: CommandContext): void {
  const telemetry = addCommandGroup(program, {
    name: "telemetry",
    summary: "see, and choose, what leaves this node",
    examples: ["headwater telemetry preview horizon"],
  });
  addTelemetryPreviewCommand(telemetry, context);
  addTelemetryLogCommand(telemetry, context);
  addTelemetryDiscloseCommand(telemetry, context);
}

function addChildCommands(program: Command, context: CommandContext): void {
  const child = addCommandGroup(program, {
    name: "child",
    summary: "let sites downstream join, or no more",
    examples: ["headwater child add acme > acme.token"],
  });
  addChildAddCommand(child, context);
  addChildListCommand(child, context);
  addChildRevokeCommand(child, context);
}

function addKeysCommands(program: Command, context: CommandContext): void {
  const keys = addCommandGroup(program, {
    name: "keys",
    summary: "see, rotate and grant the keys of a project",
    examples: ["headwater keys show horizon"],
  });
  addKeysShowCommand(keys, context);
  addKeysExportCommand(keys, context);
  addKeysRotateCommand(keys, context);
  addKeysSignCommand(keys, context);
  addKeysGrantCommand(keys, context);
  addKeysGenerateCommand(keys, context);
  addKeysImportCommand(keys, context);
}

function addTokenCommands(program: Command, context: CommandContext): void {
  const token = addCommandGroup(program, {
    name: "token",
    summary: "let others speak to this node, for what they need",
    examples: ["headwater token add ci --scope flags --expires 90d > ci.token"],
  });
  addTokenAddCommand(token, context);
  addTokenListCommand(token, context);
  addTokenRevokeCommand(token, context);
}

function failed(error: HeadwaterError, terminal: Terminal): ExitCode {
  terminal.note(`error: ${error.message}`);
  if (error.hint !== undefined) terminal.note(`  hint: ${ended(error.hint)}`);
  return exitCodeOf(error);
}

/** Nodes, and those of other versions, may leave out the end of a sentence. */
function ended(hint: string): string {
  return /[.!?]$/.test(hint) ? hint : `${hint}.`;
}

/** Commander's own words in the form of all other errors. */
function usageError(text: string): string {
  const [problem = "", suggestion] = text.trimEnd().split("\n");
  const meant = /^\(Did you mean (.*)\?\)$/.exec(suggestion ?? "")?.[1];
  const hint = meant === undefined ? "--help shows how it is used." : `Did you mean ${meant}?`;
  return `${problem}\n  hint: ${hint}`;
}
