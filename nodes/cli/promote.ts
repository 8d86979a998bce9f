import type { Command } from "commander";
import { HeadwaterError } from "../error.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "./command.ts";
import { exitCode } from "./exit-code.ts";
import { parseProject } from "./flag-path.ts";
import { heldTrust } from "./held-trust.ts";
import { positionText } from "./ledger-view.ts";
import { formatJson } from "./output.ts";
import { readRecoveryFile } from "./recovery-file.ts";

interface PromoteOptions extends CommonOptions {
  readonly grant: string;
  readonly force?: boolean;
}

export function addPromoteCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "promote",
    summary: "let this node write a project from now on, in the next term",
    details:
      "For when the node that wrote it is lost, or its key is somebody else's. This node has to " +
      "hold the project. It goes on from what it holds; whoever follows it takes the new term, " +
      "and nothing of an older one any more, whatever its sequence. Do this at one node only.",
    examples: ["headwater promote horizon --grant horizon.term-2.grant"],
  })
    .argument("<PROJECT>", "the project")
    .requiredOption("--grant <FILE>", "the recovery grant of the next term: secret")
    .option("--force", "even while the writer of the term before is heard of")
    .action(
      answer(context, async (text: string, options: PromoteOptions) => {
        const { terminal } = context;
        const project = parseProject(text);
        const recovery = readRecoveryFile(options.grant);
        const admin = context.admin();
        assertPrivate(admin.url);
        if (recovery.project !== project)
          throw new HeadwaterError({
            kind: "invalid",
            message: `${options.grant}: it is of project ${recovery.project}, not ${project}`,
            hint: `headwater promote ${recovery.project} --grant ${options.grant}`,
          });
        const { authority } = recovery;
        const path = options.grant;
        const { ledger } = await heldTrust(admin, { project, authority, path });
        const promoted = await admin.ledgers.promote({
          ...(ledger && { ledger }),
          term: recovery.term,
          ledgerSeed: recovery.ledgerKey.seed,
          beatSeed: recovery.beatKey.seed,
          grants: [...recovery.grants],
          force: options.force === true,
          actor: terminal.actor,
        });
        const { previous, position } = promoted;
        if (options.json) terminal.print(formatJson({ project, previous, position }));
        else {
          terminal.print(
            `${terminal.paint("bold", project)} is written here now: ${positionText(previous)} -> ${positionText(position)}`,
          );
          terminal.note(
            "Whoever had the old node as a parent has to join one that follows this node.\n" +
              "Where keys were stolen, end the grants of both, ledger and beat: headwater keys rotate " +
              "--without",
          );
        }
        return exitCode.done;
      }),
    );
}

/** The keys of the new term travel to the node. */
function assertPrivate(url: string): void {
  const { protocol = "", hostname = "" } = URL.parse(url) ?? {};
  const isLoopback =
    hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
  if (protocol === "https:" || isLoopback) return;
  throw new HeadwaterError({
    kind: "invalid",
    message: `HEADWATER_ADMIN_URL: secret keys are not sent to ${url} in the clear`,
    hint: "Run this on the node's own machine, or reach its admin port over https.",
  });
}
