import { toBinary, toJson } from "@bufbuild/protobuf";
import type { Command } from "commander";
import type { SentDocument } from "../../../gen/headwater/v1/fleet_pb.ts";
import { DocumentSchema } from "../../../gen/headwater/v1/telemetry_pb.ts";
import { levelWords } from "../../config/panel-tier.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { parseProject } from "../flag/flag-path.ts";
import { countOption } from "../number-option.ts";
import { formatJson, formatTable } from "../output.ts";
import { formatTime } from "../time-text.ts";

interface LogOptions extends CommonOptions {
  readonly limit?: number;
}

export function addTelemetryLogCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "log",
    summary: "show what was sent upstream",
    details: "Newest first. With --json the whole documents, as they were sent.",
    examples: [
      "headwater telemetry log horizon",
      "headwater telemetry log horizon --limit 1 --json",
    ],
  })
    .argument("<PROJECT>", "the project")
    .option("--limit <COUNT>", "at most so many documents", countOption, 100)
    .action(
      answer(context, async (text: string, options: LogOptions) => {
        const { terminal } = context;
        const { documents } = await context
          .admin()
          .fleet.listDocuments({ project: parseProject(text), limit: options.limit ?? 0 });
        if (options.json) terminal.print(formatJson(documents.map(jsonOf)));
        else if (documents.length === 0) terminal.print("nothing was sent");
        else terminal.print(formatTable({ head, rows: documents.map(rowOf), terminal }));
        return exitCode.done;
      }),
    );
}

const head = ["time", "upstream", "kind", "disclosure", "window", "bytes", "answer"];

function rowOf({ atMs, upstream, outcome, document }: SentDocument): string[] {
  return [
    formatTime(Number(atMs)),
    upstream,
    document?.kind.toLowerCase() ?? "",
    levelWords(document?.disclosure ?? ""),
    String(document?.window ?? ""),
    document === undefined ? "" : String(toBinary(DocumentSchema, document).length),
    outcome || "none yet",
  ];
}

function jsonOf({ atMs, upstream, outcome, document }: SentDocument): object {
  const sent =
    document === undefined
      ? undefined
      : toJson(DocumentSchema, document, { alwaysEmitImplicit: true });
  return { atMs, upstream, outcome, document: sent };
}
