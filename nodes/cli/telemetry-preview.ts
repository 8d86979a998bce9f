import { toJson } from "@bufbuild/protobuf";
import { type Command, Option } from "commander";
import { DocumentSchema } from "../../gen/headwater/v1/telemetry_pb.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "./command.ts";
import { disclosureLevel } from "./disclosure-option.ts";
import { exitCode } from "./exit-code.ts";
import { parseProject } from "./flag-path.ts";
import { formatJson } from "./output.ts";

interface PreviewOptions extends CommonOptions {
  readonly kind: string;
  readonly disclosure?: string;
  readonly upstream?: string;
}

export function addTelemetryPreviewCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "preview",
    summary: "show exactly what would be sent upstream now",
    details:
      "Every field of the document, as JSON, and how many bytes it takes on the wire; or why " +
      "nothing would be sent. With --disclosure, what another level would send.",
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
    .option("--disclosure <LEVEL>", "as if this level were chosen: exact or rounded")
    .option("--upstream <UPSTREAM>", "to this upstream; else the project's own")
    .action(
      answer(context, async (text: string, options: PreviewOptions) => {
        const { terminal } = context;
        const { document, bytes, why } = await context.admin().fleet.previewDocument({
          project: parseProject(text),
          kind: options.kind.toUpperCase(),
          disclosure: options.disclosure === undefined ? "" : disclosureLevel(options.disclosure),
          upstream: options.upstream ?? "",
        });
        const fields =
          document === undefined
            ? undefined
            : toJson(DocumentSchema, document, { alwaysEmitImplicit: true });
        if (options.json) terminal.print(formatJson({ document: fields, bytes, why }));
        else if (fields === undefined) terminal.print(`nothing would be sent: ${why}`);
        else terminal.print(`${formatJson(fields)}\n${bytes} bytes`);
        return exitCode.done;
      }),
    );
}
