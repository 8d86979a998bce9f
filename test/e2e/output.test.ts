import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync } from "node:fs";
import process from "node:process";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { cli } from "../../scripts/demo/node-process.ts";

const start = (args: readonly string[], stdout: "pipe" | number) =>
  spawn(process.execPath, [cli, ...args], {
    env: { PATH: process.env["PATH"], HEADWATER_ADMIN_URL: "http://127.0.0.1:1" },
    stdio: ["ignore", stdout, "pipe"],
  });

test.each([
  [["status", "--bogus"], 2],
  [["status"], 3],
])(
  "%j ends as ever where nobody reads its errors",
  async (args, code) => {
    const child = start(args, "pipe");
    child.stdout?.destroy();
    child.stderr?.destroy();
    expect(await once(child, "exit")).toEqual([code, null]);
  },
  60_000,
);

test("an answer that can not be written is no answer of no", async (context) => {
  if (!existsSync("/dev/full")) context.skip("only Linux has a file that is always full");
  const child = start(["completion", "bash"], openSync("/dev/full", "w"));
  const [stderr, ended] = await Promise.all([text(child.stderr as Readable), once(child, "exit")]);
  expect(ended).toEqual([3, null]);
  expect(stderr).toMatch(/^error: cannot write the answer: .*no space left/);
  expect(stderr).toContain("hint: ");
}, 60_000);
