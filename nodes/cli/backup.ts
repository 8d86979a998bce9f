import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import type { BackupResponse } from "../../gen/headwater/v1/operators_pb.ts";
import { HeadwaterError } from "../error.ts";
import { syncDirectory } from "../sync-directory.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "./command.ts";
import { exitCode } from "./exit-code.ts";
import { formatJson } from "./output.ts";

export function addBackupCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "backup",
    summary: "copy all that a node keeps, while it runs",
    details:
      "Makes a directory that a node can be started on (HEADWATER_DATA_DIR). It holds the node's " +
      "keys: keep it like them. Do not run the copy beside the node that it was made of.",
    examples: ["headwater backup /mnt/safe/headwater-$(date +%F)"],
  })
    .argument("<DIR>", "a directory that does not exist yet")
    .action(
      answer(context, async (directory: string, options: CommonOptions) => {
        const { terminal } = context;
        if (existsSync(directory))
          throw new HeadwaterError({
            kind: "invalid",
            message: `${directory} exists already`,
            hint: "Name a directory that does not: a backup never writes over another.",
          });
        // What there is of it until then holds keys, and no interrupt may leave that behind.
        const signal = terminal.untilInterrupted();
        // No deadline: it takes as long as there is to copy.
        const pieces = context.admin().operators.backup({}, { timeoutMs: 0, signal });
        const files = await save(pieces, directory).catch(noneOnceAborted(signal));
        if (files === undefined) {
          terminal.note("interrupted, and nothing was kept");
          return exitCode.no;
        }
        if (options.json) terminal.print(formatJson({ directory, files }));
        else terminal.print(`${directory} holds ${files.join(" and ")}`);
        return exitCode.done;
      }),
    );
}

function noneOnceAborted(signal: AbortSignal): (thrown: unknown) => undefined {
  return (thrown) => {
    if (!signal.aborted) throw thrown;
  };
}

/** Under its name only once it is whole and on the disk. */
async function save(pieces: AsyncIterable<BackupResponse>, directory: string): Promise<string[]> {
  const target = resolve(directory);
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  const draft = mkdtempSync(`${target}.part-`);
  try {
    const names = await write(pieces, draft);
    syncDirectory(draft);
    renameSync(draft, target);
    syncDirectory(dirname(target));
    return names;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

async function write(pieces: AsyncIterable<BackupResponse>, draft: string): Promise<string[]> {
  const names: string[] = [];
  let descriptor: number | undefined;
  const end = (): void => {
    if (descriptor === undefined) return;
    fsyncSync(descriptor);
    closeSync(descriptor);
    descriptor = undefined;
  };
  try {
    for await (const { file, bytes } of pieces) {
      if (file !== "") {
        end();
        // A node that is not what it should be must not choose where we write.
        const name = basename(file);
        descriptor = openSync(join(draft, name), "wx", 0o600);
        names.push(name);
      }
      // All of it: a disk that is nearly full takes a part of a write, and says nothing.
      if (descriptor !== undefined) writeFileSync(descriptor, bytes);
    }
  } finally {
    end();
  }
  return names;
}
