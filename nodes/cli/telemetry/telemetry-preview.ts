import { toJson } from "@bufbuild/protobuf";
import { type Command, Option } from "commander";
import { DocumentSchema } from "../../../gen/headwater/v1/telemetry_pb.ts";
import type { PanelTier } from "../../config/panel-tier.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { parseProject } from "../flag/flag-path.ts";
import { formatJson } from "../output.ts";
import { disclosureLevel, tierOption } from "./disclosure-option.ts";

interface PreviewOptions extends CommonOptions {
  readonly kind: string;
  readonly disclosure?: string;
  readonly upstream?: string;
  readonly tier: PanelTier;
}

export function addTelemetryPreviewCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "preview",
    summary: "show exactly what would be sent upstream now",
    details:
      "Every field of the document, as JSON, and how many bytes it takes on the wire; or why " +
      "nothing would be sent. With --disclosure, what another level would send. With --json also " +
      "the bytes themselves, as base64.",
    examples: [
      "headwater telemetry preview horizon",
      "headwater telemetry preview horizon --kind health --disclosure rounded",
    ],
  })
    .argument("<PROJECT>", "the project")
    .addOption(
      new Option("--kind <KIND>", "which of the two documents")
        .choices(["weights", "health"])
        .default("weights"),
    )
    .option("--disclosure <LEVEL>", "as if this level were chosen: exact, rounded or panel")
    .addOption(tierOption())
    .option("--upstream <UPSTREAM>", "to this upstream; else the project's own")
    .action(
      answer(context, async (text: string, options: PreviewOptions) => {
        const { terminal } = context;
        const { document, bytes, why, encoded, cautions } = await context
          .admin()
          .fleet.previewDocument({
            project: parseProject(text),
            kind: options.kind.toUpperCase(),
            disclosure:
              options.disclosure === undefined
                ? ""
                : disclosureLevel(options.disclosure, options.tier),
            upstream: options.upstream ?? "",
          });
        const fields =
          document === undefined
            ? undefined
            : toJson(DocumentSchema, document, { alwaysEmitImplicit: true });
        if (options.json) {
          const base64 = Buffer.from(encoded).toString("base64");
          terminal.print(formatJson({ document: fields, bytes, encoded: base64, cautions, why }));
        } else if (fields === undefined) terminal.print(`nothing would be sent: ${why}`);
        else terminal.print([formatJson(fields), `${bytes} bytes`, ...cautions].join("\n"));
        return exitCode.done;
      }),
    );
}
