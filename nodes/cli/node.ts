import { readFileSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { type Command, Option } from "commander";
import { type NodeConfig, readConfig } from "../config/config.ts";
import { type ConfigFileOutcome, parseConfigFile } from "../config/config-file.ts";
import { nodeOptions } from "../config/node-options.ts";
import { flagOf, type Option as Setting } from "../config/option.ts";
import { readSettings, type Texts } from "../config/settings.ts";
import { HeadwaterError } from "../error.ts";
import type { Log } from "../log.ts";
import type { RunningNode } from "../main.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "./command.ts";
import { type ExitCode, exitCode } from "./exit-code.ts";
import { namedFileProblems } from "./named-files.ts";
import { formatJson, formatJsonLine, formatTable } from "./output.ts";
import { problemsError } from "./problems.ts";
import type { Terminal } from "./terminal.ts";

interface NodeFlags extends CommonOptions {
  readonly config?: string;
  readonly check?: boolean;
  /** Every setting, by its name in camel case. */
  readonly [name: string]: string | boolean | undefined;
}

export function addNodeCommand(parent: Command, context: CommandContext): void {
  const command = addCommand(parent, {
    name: "node",
    summary: "run one node",
    details:
      "Settings come from flags, else from the environment, else from a file, else from the " +
      "defaults. All problems of a configuration are reported together.\n\n" +
      "Prints where it listens on stdout once it is ready, and logs to stderr. Runs until it is " +
      "interrupted.",
    examples: [
      "headwater node",
      "HEADWATER_UPSTREAMS=flags.example.org:7701 headwater node --trust-file trust.toml",
      "headwater node --config node.toml --check",
    ],
  })
    .option("--check", "only validate the configuration")
    .option("--config <FILE>", 'settings as TOML, named like the flags below: data-dir = "./data"');
  for (const setting of Object.values<Setting<unknown>>(nodeOptions))
    command.addOption(new Option(`--${flagOf(setting)} <${setting.value}>`, describe(setting)));
  command.action(
    answer(context, async (_options: unknown, called: Command) =>
      runCommand(context, called.opts<NodeFlags>(), called),
    ),
  );
}

/** The files are looked at where they are watched. */
function tellHangUp(log: Log, { tlsCertFile, tlsCaFile }: NodeConfig): void {
  const hasFiles = tlsCertFile !== undefined || tlsCaFile !== undefined;
  const looked = hasFiles ? "its TLS files are looked at" : "it has no TLS files to look at";
  log.write({ level: "info", event: "hung-up", message: `SIGHUP: the node goes on, ${looked}` });
}

function describe(setting: Setting<unknown>): string {
  const otherwise = setting.otherwise ?? setting.default ?? "";
  return `${setting.sentence} (${setting.variable}, default: ${otherwise})`;
}

async function runCommand(
  context: CommandContext,
  flags: NodeFlags,
  command: Command,
): Promise<ExitCode> {
  const { terminal } = context;
  const config = configured(context, flags, command);
  if (flags.check) {
    terminal.print(flags.json ? formatJson({ ok: true }) : "the configuration is valid");
    return exitCode.done;
  }
  // Only this command needs a whole node, and the others are quicker without it.
  const [{ runNode }, { openLog }] = await Promise.all([import("../main.ts"), import("../log.ts")]);
  terminal.hush();
  const log = openLog(config.logLevel);
  await runNode({
    config,
    log,
    signal: terminal.untilInterrupted(() => tellHangUp(log, config)),
    onReady: (node) => {
      announce(node, { json: flags.json, terminal });
      // It may be killed before it could keep what was compiled for it.
      flushCompileCache();
    },
  });
  return exitCode.done;
}

/** @throws HeadwaterError `invalid` with all problems */
function configured(context: CommandContext, flags: NodeFlags, command: Command): NodeConfig {
  const file = flags.config === undefined ? { texts: {} } : readFile(flags.config);
  const { env, hostName } = context.terminal;
  const texts = "texts" in file ? file.texts : {};
  const sources = { env, flags: givenFlags(command), file: texts };
  const outcome = readConfig({ ...sources, hostName });
  const problems = [
    ...("problems" in file ? file.problems : []),
    ...("problems" in outcome ? outcome.problems : []),
    ...namedFileProblems(readSettings(nodeOptions, sources).values),
  ];
  if ("config" in outcome && problems.length === 0) return outcome.config;
  const title = problems.length === 1 ? "a problem" : `${problems.length} problems`;
  throw problemsError({
    title: `${title} in the configuration`,
    problems,
    hint: "`headwater node --help` explains every setting.",
  });
}

/** By flag, as the configuration has them; commander has them in camel case. */
function givenFlags(command: Command): Texts {
  return Object.fromEntries(
    Object.values<Setting<unknown>>(nodeOptions).map((setting) => {
      const flag = flagOf(setting);
      const option = command.options.find(({ long }) => long === `--${flag}`);
      const value: unknown = option && command.getOptionValue(option.attributeName());
      return [flag, typeof value === "string" ? value : undefined];
    }),
  );
}

function readFile(path: string): ConfigFileOutcome {
  let toml: string;
  try {
    toml = readFileSync(path, "utf8");
  } catch (cause) {
    throw new HeadwaterError({
      kind: "invalid",
      message: `cannot read ${path}`,
      hint: "--config takes the path of a TOML file.",
      cause,
    });
  }
  const outcome = parseConfigFile(toml);
  if ("texts" in outcome) return outcome;
  return { problems: outcome.problems.map((problem) => `${path}: ${problem}`) };
}

/** Where the node listens, for people and for what started it. */
function announce(
  { name, site, apps, mesh, admin, tokenFile }: RunningNode,
  of: { json: boolean | undefined; terminal: Terminal },
): void {
  const { json, terminal } = of;
  if (json) {
    terminal.print(formatJsonLine({ name, site, apps, mesh, admin, tokenFile }));
    return;
  }
  const rows = [
    ["  apps", apps, ""],
    ["  mesh", mesh, ""],
    ["  admin", admin, `token in ${tokenFile}`],
  ];
  const title = `${terminal.paint("bold", name)} of site ${site} is ready`;
  terminal.print(`${title}\n${formatTable({ head: [], rows, terminal })}`);
}
