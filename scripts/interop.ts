// Tries the published providers of other languages, each from its registry, against a real node.
import process from "node:process";
import { parseArgs } from "node:util";
import { drill } from "./interop/drill.ts";
import { go, java, NotToBeHad, python, type Toolchain, typescript } from "./interop/toolchain.ts";

const { positionals } = parseArgs({ allowPositionals: true });
const toolchains = [typescript, go, python, java].filter(
  ({ language }) => positionals.length === 0 || positionals.includes(language),
);
const outcomes: string[] = [];
for (const toolchain of toolchains) outcomes.push(await tried(toolchain));
process.stdout.write(`\n${outcomes.join("\n")}\n`);
process.exitCode = outcomes.some((outcome) => outcome.includes("FAILED")) ? 1 : 0;

async function tried(toolchain: Toolchain): Promise<string> {
  const { language } = toolchain;
  process.stdout.write(`\n== ${language}\n`);
  try {
    await drill({ toolchain, say: (line) => process.stdout.write(`${line}\n`) });
    return `${language}: ok`;
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return thrown instanceof NotToBeHad
      ? `${language}: skipped: ${why}`
      : `${language}: FAILED: ${why}`;
  }
}
