import { join } from "node:path";
import type { Command } from "commander";
import type { Position } from "../../gen/headwater/v1/ledger_pb.ts";
import { bytesEqual, toHex } from "../../relay/trust/key.ts";
import { formatFingerprint } from "../config/fingerprint.ts";
import { HeadwaterError } from "../error.ts";
import { type AdminClient, adminError } from "./admin-client.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "./command.ts";
import { type ExitCode, exitCode } from "./exit-code.ts";
import { parseProject } from "./flag-path.ts";
import { positionText } from "./ledger-view.ts";
import { type NewAuthority, newAuthority } from "./new-authority.ts";
import { formatJson, formatTable } from "./output.ts";
import { assertAbsent, SecretFiles, secretsDir } from "./secret-files.ts";

export function addInitCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "init",
    summary: "start a project at this node: make its root key and its ledger",
    details:
      "The root key is made here, on the operator's side, and is never sent: it signs the keys " +
      "that the node has made for itself. It is kept, with grants for a later recovery, in " +
      "~/.config/headwater (or $XDG_CONFIG_HOME/headwater); move it off this machine.",
    examples: ["headwater init horizon"],
  })
    .argument("<PROJECT>", "the project's name")
    .action(
      answer(context, async (project: string, options: CommonOptions) =>
        init(context, parseProject(project), options),
      ),
    );
}

async function init(
  context: CommandContext,
  project: string,
  options: CommonOptions,
): Promise<ExitCode> {
  const dir = secretsDir(context.terminal.env);
  const pathOf = (ending: string): string => join(dir, `${project}.${ending}`);
  assertAbsent([pathOf("root.key")]);
  const admin = context.admin();
  const { ledgerKey, beatKey } = await admin.ledgers.prepareLedger({ project });
  const made = newAuthority({ project, ledgerKey, beatKey });
  const texts = new Map([...made.files].map(([ending, text]) => [pathOf(ending), text]));
  assertAbsent([...texts.keys()]);
  const files = new SecretFiles(texts, `unconfirmed-${toHex(made.authority).slice(0, 12)}`);
  const position = await create(context, { project, made, files });
  files.keep();
  const authority = formatFingerprint(made.authority);
  const report = { project, authority, position, paths: [...texts.keys()] };
  if (options.json) context.terminal.print(formatJson(report));
  else tell(context, report);
  return exitCode.done;
}

/**
 * Whoever has a ledger without its root key can never rotate its keys, so on a failure the files
 * go only when it is certain that there is no ledger.
 */
async function create(
  context: CommandContext,
  of: { project: string; made: NewAuthority; files: SecretFiles },
): Promise<Position | undefined> {
  const { project, made, files } = of;
  const admin = context.admin();
  try {
    return (await admin.ledgers.createLedger({ project, trust: made.trust })).position;
  } catch (thrown) {
    const created = await isCreated(admin, { project, authority: made.authority });
    if (created === true) return undefined;
    if (created === false) {
      files.discard();
      throw thrown;
    }
    const error = adminError(thrown, { url: admin.url, env: context.terminal.env });
    throw new HeadwaterError({
      kind: error.kind,
      message: `${error.message}\n  it is not known whether ${project} was created`,
      hint:
        `If \`headwater status\` shows authority ${formatFingerprint(made.authority)}, these are its ` +
        `secrets, else delete them: ${files.pendingPaths.join(", ")}`,
      cause: error.cause,
    });
  }
}

/** Undefined when that can not be known. */
async function isCreated(
  admin: AdminClient,
  of: { project: string; authority: Uint8Array },
): Promise<boolean | undefined> {
  try {
    const { ledger } = await admin.ledgers.getLedger({ project: of.project });
    return ledger !== undefined && bytesEqual(ledger.authority, of.authority);
  } catch (thrown) {
    return HeadwaterError.from(thrown).kind === "unknown" ? false : undefined;
  }
}

function tell(
  { terminal }: CommandContext,
  report: { project: string; authority: string; position: Position | undefined; paths: string[] },
): void {
  const { project, authority, position, paths } = report;
  const [rootKey = "", ...grants] = paths;
  const rows = [
    ["authority", authority],
    ["position", positionText(position)],
    ["root key", rootKey],
    ...grants.map((path) => ["recovery", path]),
  ];
  terminal.print(
    `${terminal.paint("bold", project)} is ready\n${formatTable({ head: [], rows, terminal })}`,
  );
  terminal.note(
    "Move the root key and the recovery grants off this machine now: whoever has the root key\n" +
      `decides who may write ${project}, and without it its keys can never be changed.\n` +
      `Sites pin it as: ${project} = "${authority}"`,
  );
}
