import { once } from "node:events";
import { PassThrough, Writable } from "node:stream";
import { expect, test } from "vitest";
import { askYesOrNo } from "../../../nodes/cli/question.ts";

const question = "Kill horizon/new-scheduler?";

/** A terminal's two sides, of which one remembers what was shown. */
function openTerminal(): { input: PassThrough; output: Writable; shown: () => string } {
  let shown = "";
  const output = new Writable({
    write: (chunk: Buffer, _, done) => {
      shown += chunk.toString();
      done();
    },
  });
  return {
    input: new PassThrough(),
    output: Object.assign(output, { isTTY: true, columns: 80 }),
    shown: () => shown,
  };
}

test.each([
  ["y\r", true],
  ["Yes\r", true],
  ["n\r", false],
  ["no\r", false],
  ["\r", false],
])("%j is answered with %j", async (typed, answer) => {
  const terminal = openTerminal();
  const asked = askYesOrNo(question, terminal);
  terminal.input.write(typed);
  expect(await asked).toBe(answer);
  expect(terminal.shown()).toContain(`${question} (y/N) `);
});

test("what is neither is asked again, though it begins as a yes", async () => {
  const terminal = openTerminal();
  const asked = askYesOrNo(question, terminal);
  terminal.input.write("yikes\rn\r");
  expect(await asked).toBe(false);
  expect(terminal.shown()).toContain("Answer with y or n.");
  expect(terminal.shown().split(question)).toHaveLength(3);
});

test.each([
  ["Ctrl-C", "\x03"],
  ["Ctrl-C after a yes that was not sent", "y\x03"],
  ["Ctrl-D", "\x04"],
])("%s is a no, and what follows begins a line", async (_, typed) => {
  const terminal = openTerminal();
  const asked = askYesOrNo(question, terminal);
  terminal.input.write(typed);
  expect(await asked).toBe(false);
  expect(terminal.shown()).toMatch(/\n$/);
});

test("the end of the input is a no", async () => {
  const terminal = openTerminal();
  const asked = askYesOrNo(question, terminal);
  terminal.input.end();
  expect(await asked).toBe(false);
});

test("what a question names is shown, and no order to the terminal", async () => {
  const terminal = openTerminal();
  const asked = askYesOrNo("Kill \x1b]0;owned\x07?", terminal);
  terminal.input.write("n\r");
  await asked;
  expect(terminal.shown()).toContain("Kill \\u001b]0;owned\\u0007?");
});

test("the input is left to whoever comes next", async () => {
  const terminal = openTerminal();
  const asked = askYesOrNo(question, terminal);
  terminal.input.write("y\r");
  await asked;
  const next = once(terminal.input, "data");
  terminal.input.resume().write("next");
  expect(String((await next)[0])).toBe("next");
});
