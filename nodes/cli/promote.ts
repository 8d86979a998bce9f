import type { MessageInitShape } from "@bufbuild/protobuf";
import { fromBinary } from "@bufbuild/protobuf";
import { type Command, Option } from "commander";
import { GrantSchema, type Trust } from "../../gen/headwater/v1/ledger_pb.ts";
import type { GetTrustResponse, PromoteRequestSchema } from "../../gen/headwater/v1/ledgers_pb.ts";
import { bytesEqual } from "../../relay/trust/key.ts";
import { HeadwaterError } from "../error.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "./command.ts";
import { firstHead, type LedgerKey, readLedgerKey } from "./commit/ledger-key.ts";
import { positionText, readLedger } from "./commit/ledger-view.ts";
import { exitCode } from "./exit-code.ts";
import { parseProject } from "./flag/flag-path.ts";
import { heldTrust, overlayOption } from "./keys/held-trust.ts";
import { formatPublicKey } from "./keys/key-file.ts";
import { type Recovery, readRecoveryFile } from "./keys/recovery-file.ts";
import { formatJson } from "./output.ts";

interface PromoteOptions extends CommonOptions {
  readonly grant?: string;
  readonly signWith?: string;
  readonly overlay?: string;
  readonly force?: boolean;
}

export function addPromoteCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "promote",
    summary: "let this node write a project from now on, in the next term",
    details:
      "For when the node that wrote it is lost, or its key is somebody else's. This node has to " +
      "hold the project. It goes on from what it holds; whoever follows it takes the new term, " +
      "and nothing of an older one any more, whatever its sequence. Do this at one node only.\n\n" +
      "With --sign-with the ledger key of the new term does not go to the node: its heads are signed " +
      "where the file is, and the node beats, with the beat key of a recovery grant or its own.",
    examples: [
      "headwater promote horizon --grant horizon.term-2.grant",
      "headwater promote horizon --sign-with horizon.ledger.key",
    ],
  })
    .argument("<PROJECT>", "the project")
    .addOption(
      new Option("--grant <FILE>", "the recovery grant of the next term: secret").conflicts(
        "signWith",
      ),
    )
    .option("--sign-with <FILE>", "a ledger key or a recovery grant; the ledger key stays here")
    .option("--overlay <AUTHORITY>", "with --sign-with KEY, an overlay's; else the project's own")
    .option("--force", "even while the writer of the term before is heard of")
    .action(
      answer(context, async (text: string, options: PromoteOptions) => {
        const { terminal } = context;
        const project = parseProject(text);
        const request =
          options.signWith === undefined
            ? await withKeys(context, project, options.grant)
            : await signedFor(context, project, {
                path: options.signWith,
                authority: overlayOption(options.overlay),
              });
        const promoted = await context.admin().ledgers.promote({
          ...request,
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

type Promotion = Pick<
  MessageInitShape<typeof PromoteRequestSchema>,
  "ledger" | "term" | "ledgerSeed" | "beatSeed" | "grants" | "head"
>;

/** Both keys of the new term go to the node. */
async function withKeys(
  context: CommandContext,
  project: string,
  path: string | undefined,
): Promise<Promotion> {
  if (path === undefined)
    throw new HeadwaterError({
      kind: "invalid",
      message: "no key of the new term",
      hint: "Give --grant FILE, or --sign-with FILE where the ledger key is not to be at the node.",
    });
  const recovery = readRecoveryFile(path);
  const admin = context.admin();
  assertPrivate(admin.url);
  const { ledger } = await heldOf(context, { project, recovery, path });
  return {
    ...(ledger && { ledger }),
    term: recovery.term,
    ledgerSeed: recovery.ledgerKey.seed,
    beatSeed: recovery.beatKey.seed,
    grants: [...recovery.grants],
  };
}

/** The new term's first head, signed here; of a recovery grant the beat key goes to the node. */
async function signedFor(
  context: CommandContext,
  project: string,
  { path, authority }: { path: string; authority: Uint8Array },
): Promise<Promotion> {
  const by = readLedgerKey(path);
  const { recovery } = by;
  const admin = context.admin();
  if (recovery !== undefined) assertPrivate(admin.url);
  const { ledger, trust } =
    recovery === undefined
      ? await admin.ledgers.getTrust({ project, authority })
      : await heldOf(context, { project, recovery, path });
  const view = await readLedger(admin, project, ledger?.authority);
  const term = recovery?.term ?? termOf({ trust, by, after: view.position.term });
  const head = firstHead({ view, term, by, wallMs: context.terminal.wallMs() });
  return {
    ...(ledger && { ledger }),
    term,
    head,
    ...(recovery && { beatSeed: recovery.beatKey.seed, grants: [...recovery.grants] }),
  };
}

async function heldOf(
  context: CommandContext,
  of: { project: string; recovery: Recovery; path: string },
): Promise<GetTrustResponse> {
  const { project, recovery, path } = of;
  if (recovery.project !== project)
    throw new HeadwaterError({
      kind: "invalid",
      message: `${path}: it is of project ${recovery.project}, not ${project}`,
      hint: `Run \`headwater promote ${recovery.project} --grant ${path}\`, if that is what is meant.`,
    });
  return heldTrust(context.admin(), { project, authority: recovery.authority, path });
}

/** The term that a key was granted, past the present one. */
function termOf(of: { trust: Trust | undefined; by: LedgerKey; after: number }): number {
  const { trust, by, after } = of;
  const terms = (trust?.grants ?? []).flatMap(({ payload }) => {
    const { power } = fromBinary(GrantSchema, payload);
    const isOurs =
      power.case === "ledgerKey" && bytesEqual(power.value.key, by.key.publicKey) === true;
    return isOurs && power.value.term > after ? power.value.term : [];
  });
  const term = Math.min(...terms);
  if (Number.isFinite(term)) return term;
  throw new HeadwaterError({
    kind: "forbidden",
    message: `${by.path}: this key is granted no term after ${after}`,
    hint: `Grant it one: \`headwater keys grant --ledger-key ${formatPublicKey(by.key.publicKey)} --term ${after + 1} …\`, then \`headwater keys import\`.`,
  });
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
