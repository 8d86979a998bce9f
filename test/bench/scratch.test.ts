import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { expect, it } from "vitest";

const scratch = join(import.meta.dirname, "../../scripts/bench/scratch.ts");

/** Says which directory it has, with a file in it, and runs until it is told to end. */
const program = `
  import { writeFileSync } from "node:fs";
  import { openScratch, scratchDirectory } from ${JSON.stringify(scratch)};
  openScratch();
  const directory = scratchDirectory();
  writeFileSync(directory + "/file", "text");
  console.log(directory);
  process.stdin.once("data", () => process.exit());
`;

const ends: Record<string, (child: ChildProcess) => void> = {
  "has ended": (child) => child.stdin?.write("end\n"),
  "was interrupted": (child) => child.kill("SIGINT"),
  "was terminated": (child) => child.kill("SIGTERM"),
};

it.each(Object.keys(ends))("leaves nothing in the temporary directory once it %s", async (how) => {
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [directory] = (await once(createInterface(child.stdout), "line")) as [string];
  expect(existsSync(join(directory, "file"))).toBe(true);
  ends[how]?.(child);
  await once(child, "exit");
  expect(existsSync(dirname(directory))).toBe(false);
});
