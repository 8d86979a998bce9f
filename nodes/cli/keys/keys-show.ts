import type { Command } from "commander";
import { grantIdOf } from "../../../relay/trust/bundle.ts";
import { formatFingerprint } from "../../config/fingerprint.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { parseProject } from "../flag/flag-path.ts";
import { formatJson, formatTable } from "../output.ts";
import { overlayOption } from "./held-trust.ts";
import { formatPublicKey } from "./key-file.ts";
import { bundleOf, bundleText, grantRow, grantWords } from "./trust-bundle.ts";

interface TrustOptions extends CommonOptions {
  readonly overlay?: string;
}

export function addKeysShowCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "show",
    summary: "show a project's authority, root keys and grants, as this node holds them",
    details: "The authority is the fingerprint that sites pin: compare it over another channel.",
    examples: ["headwater keys show horizon", "headwater keys fingerprint horizon"],
  })
    .alias("fingerprint")
    .argument("<PROJECT>", "the project")
    .option("--overlay <AUTHORITY>", "that of an overlay; else the project's own")
    .action(
      answer(context, async (text: string, { json, overlay }: TrustOptions) => {
        const { terminal } = context;
        const { trust, term } = await context.admin().ledgers.getTrust({
          project: parseProject(text),
          authority: overlayOption(overlay),
        });
        const bundle = bundleOf(trust ?? noTrust, "the node");
        const { project, authority, newest, grants } = bundle;
        const keys = newest.keys.map(formatPublicKey);
        if (json) {
          const listed = grants.map(({ envelope, grant: { power, expiresMs }, grant }) => ({
            id: grantIdOf(envelope),
            kind: power.case,
            says: grantWords(grant),
            expiresMs,
          }));
          const root = { version: newest.version, threshold: newest.threshold, keys };
          terminal.print(formatJson({ project, authority, term, root, grants: listed }));
          return exitCode.done;
        }
        const [first = "", ...others] = keys;
        const rows = [
          ["authority", formatFingerprint(authority)],
          ["root", `${newest.version}, signed by ${newest.threshold} of ${keys.length}`],
          ["keys", first],
          ...others.map((key) => ["", key]),
          ["term", String(term)],
        ];
        const listed = grants.map((grant) => grantRow(grant, terminal.wallMs()));
        terminal.print(
          `${terminal.paint("bold", project)}\n${formatTable({ head: [], rows, terminal })}\n\n` +
            formatTable({ head: ["grant", "allows", "until"], rows: listed, terminal }),
        );
        return exitCode.done;
      }),
    );
}

export function addKeysExportCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "export",
    summary: "write a project's roots and grants as a file, to be signed elsewhere",
    details:
      "Nothing in the bundle is secret: roots, grants and signatures. Carry it to where the root " +
      "key is; a network is not needed there.",
    examples: ["headwater keys export horizon > horizon.trust"],
  })
    .argument("<PROJECT>", "the project")
    .option("--overlay <AUTHORITY>", "that of an overlay; else the project's own")
    .action(
      answer(context, async (text: string, { json, overlay }: TrustOptions) => {
        const { terminal } = context;
        const project = parseProject(text);
        const authority = overlayOption(overlay);
        const { trust } = await context.admin().ledgers.getTrust({ project, authority });
        const bundle = bundleOf(trust ?? noTrust, "the node");
        const root = bundle.newest.version;
        const written = bundleText(bundle);
        const answered = { project, authority: bundle.authority, root, trust: written };
        terminal.print(json ? formatJson(answered) : written);
        return exitCode.done;
      }),
    );
}

const noTrust = { $typeName: "headwater.v1.Trust" as const, roots: [], grants: [] };
