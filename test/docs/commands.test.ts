import { expect, test } from "vitest";
import { commandPage } from "../../nodes/cli/command-page.ts";
import { createProgram } from "../../nodes/cli/program.ts";
import { FakeTerminal } from "../nodes/cli/fake-terminal.ts";

test("docs/commands.md has every command as its help has it", async () => {
  const program = createProgram({
    terminal: new FakeTerminal({}),
    admin: () => {
      throw new Error("help needs no node");
    },
    finish: () => {},
  });
  await expect(commandPage(program)).toMatchFileSnapshot("../../docs/commands.md");
});
