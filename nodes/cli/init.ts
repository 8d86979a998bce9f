import { join } from "node:path";
import type { Command } from "commander";
import type { Envelope, Position } from "../../gen/headwater/v1/ledger_pb.ts";
import { Ledger } from "../../relay/ledger/ledger.ts";
import { signChange } from "../../relay/ledger/signed-change.ts";
import { bytesEqual, type SigningKey, toHex } from "../../relay/trust/key.ts";
import { formatFingerprint } from "../config/fingerprint.ts";
import { HeadwaterError } from "../error.ts";
import type { AdminClient } from "./admin-client.ts";
import { adminError } from "./admin-error.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "./command.ts";
import { positionText } from "./commit/ledger-view.ts";
import { type ExitCode, exitCode } from "./exit-code.ts";
import { parseProject } from "./flag/flag-path.ts";
import { readKeyFile } from "./keys/key-file.ts";
import { type NewAuthority, newAuthority } from "./keys/new-authority.ts";
import {
  assertAbsent,
  pendingMark,
  pendingPathsOf,
  SecretFiles,
  secretsDir,
} from "./keys/secret-files.ts";
import { formatJson, formatTable } from "./output.ts";

interface InitOptions extends CommonOptions {
  readonly overlay?: boolean;
  readonly signWith?: string;
}

/** What is to be started: a project, or an overlay of one. */
interface Subject {
  readonly project: string;
  readonly overlay: boolean;
}

export function addInitCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "init",
    summary: "start a project at this node: make its root key and its ledger",
    details:
      "The root key is made here, on the operator's side, and is never sent: it signs the keys " +
      "that the node has made for itself. It is kept, with grants for a later recovery, in " +
      "~/.config/headwater (or $XDG_CONFIG_HOME/headwater); move it off this machine. With " +
      "--overlay it is a layer of your own over a project that this node has from upstream, for " +
      "`headwater overlay`: sites that join you from then on follow it too. With --sign-with the " +
      "ledger key stays in its file, for CI: the node serves what was signed, and only beats.",
    examples: [
      "headwater init horizon",
      "headwater init horizon --overlay",
      "headwater init horizon --sign-with horizon.ledger.key",
    ],
  })
    .argument("<PROJECT>", "the project's name")
    .option("--overlay", "an overlay of a project that is held here already")
    .option("--sign-with <FILE>", "the ledger key, which is not to be at the node")
    .action(
      answer(context, async (project: string, options: InitOptions) =>
        init(
          context,
          { project: parseProject(project), overlay: options.overlay === true },
          options,
        ),
      ),
    );
}

async function init(
  context: CommandContext,
  subject: Subject,
  options: InitOptions,
): Promise<ExitCode> {
  const { project, overlay } = subject;
  const key = options.signWith === undefined ? undefined : readKeyFile(options.signWith);
  const dir = secretsDir(context.terminal.env);
  const pathOf = (ending: string): string =>
    join(dir, `${project}.${overlay ? "overlay." : ""}${ending}`);
  assertAbsent([pathOf("root.key")]);
  const admin = context.admin();
  const { ledgerKey, beatKey } = await admin.ledgers
    .prepareLedger({ ...subject, ...(key && { ledgerKey: key.publicKey }) })
    .catch((thrown: unknown) => {
      throw cutOffOr(thrown, pathOf("root.key"));
    });
  if (key !== undefined && !bytesEqual(ledgerKey, key.publicKey))
    throw new HeadwaterError({
      kind: "unreachable",
      message: "the node is of an older version, which does not know --sign-with",
      hint: "Update the node.",
    });
  const made = newAuthority({ ...subject, ledgerKey, beatKey });
  const head = key && emptyHead({ project, authority: made.authority, key, context });
  const texts = new Map([...made.files].map(([ending, text]) => [pathOf(ending), text]));
  assertAbsent([...texts.keys()]);
  const files = new SecretFiles(texts, `${pendingMark}${toHex(made.authority).slice(0, 12)}`);
  const position = await create(context, { ...subject, made, files, head });
  files.keep();
  const authority = formatFingerprint(made.authority);
  const report = { ...subject, authority, position, paths: [...texts.keys()] };
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
  of: Subject & { made: NewAuthority; files: SecretFiles; head: Envelope | undefined },
): Promise<Position | undefined> {
  const { project, overlay, made, files, head } = of;
  const admin = context.admin();
  try {
    const { trust } = made;
    const created = await admin.ledgers.createLedger({
      project,
      overlay,
      trust,
      ...(head && { head }),
    });
    return created.position;
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
        `secrets, else delete them: ${files.pendingPaths.join(", ")}.`,
      cause: error,
    });
  }
}

/** Where an earlier init was ended in the middle, the ledger may be there, and its secrets lie aside. */
function cutOffOr(thrown: unknown, rootKeyPath: string): unknown {
  const { kind, message } = HeadwaterError.from(thrown);
  const [pending] = kind === "conflict" ? pendingPathsOf(rootKeyPath) : [];
  if (pending === undefined) return thrown;
  const digits = pending.slice(pending.lastIndexOf("-") + 1);
  return new HeadwaterError({
    kind,
    message: `${message}; an earlier init was cut off`,
    hint:
      `If \`headwater keys show\` names an authority that begins with sha256:${digits}, ${pending} is its ` +
      `root key: rename that, and the grants beside it, to end before .${pendingMark}.`,
    cause: thrown,
  });
}

/** The first head of a ledger whose key is not at the node. */
function emptyHead(of: {
  project: string;
  authority: Uint8Array;
  key: SigningKey;
  context: CommandContext;
}): Envelope {
  const { project, authority, key, context } = of;
  const ledger = new Ledger({ authority, project });
  const signer = { term: 1, ledgerKey: key };
  const wallMs = context.terminal.wallMs();
  const signed = signChange({ ledger, signer, wallMs, entries: [], tombstones: [] });
  if (!signed.ok) throw HeadwaterError.refused(signed.refusal);
  return signed.value.head.envelope;
}

/** Undefined when that can not be known. */
async function isCreated(
  admin: AdminClient,
  of: { project: string; authority: Uint8Array },
): Promise<boolean | undefined> {
  try {
    const { ledger } = await admin.ledgers.getLedger(of);
    return ledger !== undefined && bytesEqual(ledger.authority, of.authority);
  } catch (thrown) {
    return HeadwaterError.from(thrown).kind === "unknown" ? false : undefined;
  }
}

function tell(
  { terminal }: CommandContext,
  report: Subject & { authority: string; position: Position | undefined; paths: string[] },
): void {
  const { project, overlay, authority, position, paths } = report;
  const what = overlay ? `the overlay of ${project}` : project;
  const [rootKey = "", ...grants] = paths;
  const rows = [
    ["authority", authority],
    ["position", positionText(position)],
    ["root key", rootKey],
    ...grants.map((path) => ["recovery", path]),
  ];
  terminal.print(
    `${terminal.paint("bold", what)} is ready\n${formatTable({ head: [], rows, terminal })}`,
  );
  terminal.note(
    "Move the root key and the recovery grants off this machine now: whoever has the root key\n" +
      `decides who may write ${what}, and without it its keys can never be changed.`,
  );
  terminal.note(
    overlay
      ? "Tokens of `headwater child add` name it from now on; sites that have joined join again."
      : `Sites pin it as: ${project} = "${authority}"`,
  );
}
