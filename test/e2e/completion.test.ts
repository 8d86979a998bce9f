import { execFile, spawnSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cleanEnvironment, NodeProcess } from "../../scripts/demo/node-process.ts";
import { temporaryDirectory } from "../nodes/store/temporary-directory.ts";

const launcher = resolve(import.meta.dirname, "../../scripts/headwater.mjs");

/** How each shell is given the words after `headwater`, the last of them unfinished. */
interface Shell {
  readonly source: string;
  readonly offer: (words: readonly string[]) => string;
}

const shells: Record<string, Shell> = {
  bash: {
    source: "source <(headwater completion bash)",
    offer: (words) => `COMP_WORDS=(headwater ${words.map(quoted).join(" ")})
      COMP_CWORD=${words.length}; _headwater; printf '%s\\n' "\${COMPREPLY[@]}"`,
  },
  zsh: {
    source: `compdef() { : }; _describe() { print -l -- \${\${(P)3}%%:*} }; _files() { print FILES }
      source <(headwater completion zsh)`,
    offer: (words) => `words=(headwater ${words.map(quoted).join(" ")})
      CURRENT=${words.length + 1}; _headwater`,
  },
  fish: {
    source: "headwater completion fish | source",
    offer: (words) => `complete -C "headwater ${words.join(" ")}" | string replace -r '\\t.*' ''`,
  },
};

function quoted(word: string): string {
  return `'${word}'`;
}

function isInstalled(shell: string): boolean {
  return spawnSync(shell, ["-c", "exit 0"]).status === 0;
}

describe("completion in real shells", () => {
  let node: NodeProcess;

  beforeAll(async () => {
    node = await NodeProcess.start("upstream");
    await node.do(["init", "horizon"]);
    await node.do(["flag", "set", "horizon/fast-path", "5%"]);
    await node.do(["flag", "set", "horizon/wide-path", "5%"]);
  });
  afterAll(async () => node?.[Symbol.asyncDispose]());

  /** What is offered for each of the command lines, by one shell. */
  function offered(shell: string, lines: readonly (readonly string[])[]): Promise<string[][]> {
    const directory = temporaryDirectory();
    symlinkSync(launcher, join(directory, "headwater"));
    const path = [directory, join(process.execPath, ".."), process.env["PATH"]].join(delimiter);
    const env = { ...cleanEnvironment(), ...node.operatorEnv, PATH: path, HOME: directory };
    const { source = "", offer = String } = shells[shell] ?? {};
    const script = [source, ...lines.map((words) => `${offer(words)}\necho END`)].join("\n");
    return new Promise((done, fail) => {
      execFile(shell, ["-c", script], { env, timeout: 60_000 }, (error, stdout, stderr) => {
        if (error !== null || stderr !== "")
          fail(new Error(`${shell}: ${stderr}`, { cause: error }));
        else done(stdout.split("END\n").map((part) => part.split("\n").filter(Boolean)));
      });
    });
  }

  describe.each(Object.keys(shells))("%s", (shell) => {
    const cases: [string[], string[]][] = [
      [["fla"], ["flag"]],
      [
        ["flag", "set", "horizon/"],
        ["horizon/fast-path", "horizon/wide-path"],
      ],
      [["flag", "set", "horizon/wide-path", "5%", "--no"], ["--note"]],
      [
        ["telemetry", "preview", "horizon", "--kind", ""],
        ["weights", "health"],
      ],
    ];
    test.skipIf(!isInstalled(shell))(
      `offers what may follow (skipped where ${shell} is not installed)`,
      async () => {
        const offers = await offered(
          shell,
          cases.map(([words]) => words),
        );
        for (const [index, [words, expected]] of cases.entries())
          expect([words, offers[index]?.toSorted()]).toEqual([words, expected.toSorted()]);
      },
    );
  });

  test.skipIf(!isInstalled("zsh"))("zsh is asked for files where one is wanted", async () => {
    expect((await offered("zsh", [["apply", "-f", ""]]))[0]).toEqual(["FILES"]);
  });
});
