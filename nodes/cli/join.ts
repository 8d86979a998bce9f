import { existsSync } from "node:fs";
import type { Command } from "commander";
import type { JoinToken } from "../../gen/headwater/v1/mesh_pb.ts";
import type { JoinResponse } from "../../gen/headwater/v1/nodes_pb.ts";
import { parseToken } from "../../relay/trust/join-token.ts";
import { sha256 } from "../../relay/trust/key.ts";
import { formatFingerprint } from "../config/fingerprint.ts";
import { HeadwaterError } from "../error.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "./command.ts";
import { exitCode } from "./exit-code.ts";
import { formatJson, formatTable } from "./output.ts";
import type { Terminal } from "./terminal.ts";

export function addJoinCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "join",
    summary: "join this node's site to a parent",
    details:
      "Takes what `headwater child add` printed at the parent. Shows whose word counts from now " +
      "on: compare the fingerprints with those that the parent's operator sees. With - the token " +
      "is read from stdin, which keeps it out of the shell's history.",
    examples: ["headwater join hw1.…", "headwater join - < acme.token"],
  })
    .argument("<TOKEN>", "the token, or - for stdin")
    .action(
      answer(context, async (text: string, options: CommonOptions) => {
        const { terminal } = context;
        const token = (text === "-" ? await terminal.readInput() : text).trim();
        const parsed = parseToken(token);
        if (!parsed.ok) throw wrongToken(text, HeadwaterError.refused(parsed.refusal));
        const joined = await context.admin().nodes.join({ token });
        const certificate = certificateOf(parsed.value);
        if (options.json) terminal.print(formatJson({ ...joined, certificate }));
        else terminal.print(joinedText({ joined, certificate, terminal }));
        return exitCode.done;
      }),
    );
}

/** Whoever has a token in a file may well name the file. */
function wrongToken(text: string, error: HeadwaterError): HeadwaterError {
  if (text === "-" || !existsSync(text)) return error;
  return new HeadwaterError({
    kind: error.kind,
    message: `${text} is a file, not a token`,
    hint: `\`headwater join - < ${text}\` joins with the token in it.`,
  });
}

function certificateOf({ certificate }: JoinToken): string {
  return certificate.length === 0 ? "none" : formatFingerprint(sha256(certificate));
}

function joinedText(of: { joined: JoinResponse; certificate: string; terminal: Terminal }): string {
  const { joined, certificate, terminal } = of;
  const authorities = joined.projects.flatMap(({ project, authority, overlays }) => [
    [`  ${project}`, formatFingerprint(authority)],
    ...overlays.map((overlay) => ["    overlay", formatFingerprint(overlay)]),
  ]);
  const rows = [
    ["addresses", joined.addresses.join(", ")],
    ["certificate", certificate],
    ["projects", joined.projects.length === 0 ? "none" : ""],
    ...authorities,
  ];
  const title = `joined ${terminal.paint("bold", joined.site)}`;
  return `${title}\n${formatTable({ head: [], rows, terminal })}`;
}
