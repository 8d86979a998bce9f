import { create, fromBinary } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { CensusSchema } from "../../../gen/headwater/v1/flag_pb.ts";
import { quoted } from "../../../relay/quoted.ts";
import { HeadwaterError } from "../../error.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { commitChanges } from "../commit/commit.ts";
import { censusEntry } from "../commit/ledger-entry.ts";
import { readLedger } from "../commit/ledger-view.ts";
import { exitCode } from "../exit-code.ts";
import { parseProject } from "../flag/flag-path.ts";
import { formatJson } from "../output.ts";

export function addCensusCloseCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "close",
    summary: "ask no more",
    details: "Windows that were over by then keep their answers. It still counts for the year.",
    examples: ["headwater census close horizon census/feature/keystone-v2-api/1772323200000"],
  })
    .argument("<PROJECT>", "the project")
    .argument("<KEY>", "the question, as `census show` names it")
    .action(
      answer(context, async (text: string, key: string, options: CommonOptions) => {
        const { terminal } = context;
        const project = parseProject(text);
        const view = await readLedger(context.admin(), project);
        const before = view.entries.get(key);
        if (before === undefined || !key.startsWith("census/"))
          throw new HeadwaterError({
            kind: "unknown",
            message: `${project} has no census ${quoted(key)}`,
            hint: `\`headwater census show ${project}\` names those it has.`,
          });
        const held = fromBinary(CensusSchema, before);
        const nowMs = BigInt(terminal.wallMs());
        const isClosed = held.closedMs !== 0n && held.closedMs <= nowMs;
        const closedMs = isClosed ? held.closedMs : nowMs;
        if (!isClosed) {
          const { value } = censusEntry(create(CensusSchema, { ...held, closedMs }));
          await commitChanges(context, { view, changes: [{ key, before, after: value }] });
        }
        const said = `${key} ${isClosed ? "was closed before" : "is closed"}`;
        terminal.print(options.json ? formatJson({ project, key, closedMs }) : said);
        return exitCode.done;
      }),
    );
}
