import { toBinary } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { GrantSchema } from "../../../gen/headwater/v1/ledger_pb.ts";
import { type Bundle, bundleTrust, missingSignatures } from "../../../relay/trust/bundle.ts";
import { toHex } from "../../../relay/trust/key.ts";
import { HeadwaterError } from "../../error.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { agreed } from "../consent.ts";
import { exitCode } from "../exit-code.ts";
import { parseProject } from "../flag/flag-path.ts";
import { formatCount, formatJson } from "../output.ts";
import { heldTrust } from "./held-trust.ts";
import { bundleOf, grantWords, readBundle } from "./trust-bundle.ts";

interface ImportOptions extends CommonOptions {
  readonly yes?: boolean;
}

export function addKeysImportCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "import",
    summary: "hand a bundle to this node, which passes it on downstream",
    details:
      "The node takes it only if it extends what is held and everything in it is signed by those " +
      "who have to. Shows what changes, and asks before a grant ends. A root can not be taken back.",
    examples: ["headwater keys import horizon new.trust"],
  })
    .argument("<PROJECT>", "the project")
    .argument("<FILE>", "the bundle")
    .option("--yes", "do not ask")
    .action(
      answer(context, async (text: string, path: string, options: ImportOptions) => {
        const { terminal } = context;
        const project = parseProject(text);
        const bundle = readBundle(path);
        const { ledgers } = context.admin();
        checkImport({ project, path, bundle });
        const { authority } = bundle;
        const { ledger, trust } = await heldTrust(context.admin(), { project, authority, path });
        const held = trust && bundleOf(trust, "the node");
        const changes = changeOf(held, bundle);
        const step = `root ${held?.newest.version ?? 0} -> ${bundle.newest.version}`;
        if (!options.json) {
          for (const line of changes.comes) terminal.note(terminal.paint("green", `+ ${line}`));
          for (const line of changes.goes) terminal.note(terminal.paint("red", `- ${line}`));
        }
        const question = `${step} ends ${formatCount(changes.goes.length, "grant")}. Go on?`;
        if (changes.goes.length > 0 && !(await agreed(terminal, { yes: options.yes, question })))
          return exitCode.no;
        const updated = await ledgers.updateTrust({
          ...(ledger && { ledger }),
          trust: bundleTrust(bundle),
          actor: terminal.actor,
        });
        const { changed, rootVersion, grantsCount } = updated;
        if (options.json)
          terminal.print(formatJson({ project, changed, root: rootVersion, ...changes }));
        else if (!changed) terminal.print(`${project}: the node held all of it already`);
        else
          terminal.print(
            `${project} is at root ${rootVersion}, with ${formatCount(grantsCount, "grant")}`,
          );
        return exitCode.done;
      }),
    );
}

function checkImport(of: { project: string; path: string; bundle: Bundle }): void {
  const { project, path, bundle } = of;
  if (bundle.project !== project)
    throw new HeadwaterError({
      kind: "invalid",
      message: `${path}: it is of project ${bundle.project}, not ${project}`,
      hint: `Run \`headwater keys import ${bundle.project} ${path}\`, if that is what is meant.`,
    });
  const missing = missingSignatures(bundle);
  if (missing.length === 0) return;
  throw new HeadwaterError({
    kind: "invalid",
    message: `${path}: not signed by all who have to\n${missing.map((line) => `  ${line}`).join("\n")}`,
    hint: "`headwater keys sign`, where the other root keys are.",
  });
}

/** Grants that come and go, by what they allow. */
function changeOf(
  held: Bundle | undefined,
  bundle: Bundle,
): { readonly comes: string[]; readonly goes: string[] } {
  const before = powersOf(held);
  const after = powersOf(bundle);
  const isNewer = bundle.newest.version > (held?.newest.version ?? 0);
  const missingIn = (from: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>) =>
    [...from].flatMap(([id, words]) => (other.has(id) ? [] : [words]));
  return { comes: missingIn(after, before), goes: isNewer ? missingIn(before, after) : [] };
}

function powersOf(bundle: Bundle | undefined): ReadonlyMap<string, string> {
  return new Map(
    (bundle?.grants ?? []).map(({ grant }) => [
      toHex(toBinary(GrantSchema, { ...grant, rootVersion: 0 })),
      grantWords(grant),
    ]),
  );
}
