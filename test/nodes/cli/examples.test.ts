import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { temporaryDirectory } from "../store/temporary-directory.ts";
import { openFakeAdmin } from "./fake-admin.ts";
import type { FakeTerminal } from "./fake-terminal.ts";

const page = readFileSync(resolve(import.meta.dirname, "../../../docs/commands.md"), "utf8");
const examples = [...page.matchAll(/^ {2}\$ (.+)$/gm)].map(([, line = ""]) => line);

/** What goes on until it is interrupted, what asks another node, and what is no command of ours. */
const others = /headwater (node|watch)\b|^HEADWATER_ADMIN_URL=|^xdg-open/;

/** An example names files that are not here. */
const lacks = /cannot read |cannot be read|does not start with hw1\.|roots: there is none/;

let terminal: FakeTerminal;
let directory: string;

beforeEach(async () => {
  ({ terminal } = await openFakeAdmin());
  directory = temporaryDirectory();
  terminal.env = { ...terminal.env, XDG_CONFIG_HOME: directory };
});

/** The words after `headwater`, as a shell makes them of a line; what is written, in a directory of its own. */
function wordsOf(line: string): string[] {
  const [command = ""] = line.replace(/^source <\((.*)\)$/, "$1").split(/ [<>] /);
  const [, ...words] =
    command.replace("$(date +%F)", "2026-03-01").match(/(?:'[^']*'|[^\s'])+/g) ?? [];
  const isWritten = /^\/mnt\/safe\/|^second\.key$|^horizon\.ledger\.key$|^new\.key$|\.change$/;
  return words
    .map((word) => word.replaceAll("'", ""))
    .map((word) => (isWritten.test(word) ? join(directory, word) : word));
}

test("the page has examples to try", () => {
  expect(examples.length).toBeGreaterThan(90);
});

test.each(examples.filter((line) => !others.test(line)))("%s can be typed", async (line) => {
  const { code, stderr } = await terminal.run(...wordsOf(line));
  expect(code !== 2 || lacks.test(stderr) ? "" : stderr).toBe("");
});
