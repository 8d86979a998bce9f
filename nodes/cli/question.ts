import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { printable } from "./printable.ts";

/**
 * Asks until the answer is a yes or a no; no answer is a no, and so is leaving the question, by
 * Ctrl-C or at the end of the input.
 */
export function askYesOrNo(
  question: string,
  { input, output }: { input: Readable; output: Writable },
): Promise<boolean> {
  const prompt = `${printable(question)} (y/N) `;
  const lines = createInterface({ input, output });
  return new Promise((resolve) => {
    const leave = (): void => {
      output.write("\n");
      resolve(false);
    };
    lines.once("close", leave);
    const ask = (): void =>
      lines.question(prompt, (line) => {
        const answer = readAnswer(line);
        if (answer === undefined) {
          output.write("Answer with y or n.\n");
          return ask();
        }
        lines.off("close", leave).close();
        resolve(answer);
      });
    ask();
  });
}

/** Undefined where it is neither: what is misread must not be a yes, and not a no that nobody saw. */
function readAnswer(line: string): boolean | undefined {
  const word = line.trim().toLowerCase();
  if (["y", "yes"].includes(word)) return true;
  return ["", "n", "no"].includes(word) ? false : undefined;
}
