import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { createProgram } from "../../../nodes/cli/program.ts";
import { openFakeAdmin } from "./fake-admin.ts";
import { lost, refusal } from "./fake-ledger.ts";
import { FakeTerminal } from "./fake-terminal.ts";

const terminal = new FakeTerminal({});
const program = createProgram({
  terminal,
  admin: () => {
    throw new Error("help needs no node");
  },
  finish: () => {},
});

/** Every command that does something, by what is typed. */
function leavesOf(command: Command, prefix: string[]): [string, Command][] {
  if (command.commands.length === 0) return [[prefix.join(" "), command]];
  const shown = command.createHelp().visibleCommands(command);
  return shown
    .filter((one) => one.name() !== "help")
    .flatMap((one) => leavesOf(one, [...prefix, one.name()]));
}

const leaves = leavesOf(program, []);

describe("the commands", () => {
  it("are those that work in this version", () => {
    expect(leaves.map(([line]) => line)).toEqual([
      "node",
      "init",
      "apply",
      "flag list",
      "flag get",
      "flag set",
      "flag kill",
      "flag revive",
      "flag delete",
      "flag history",
      "overlay cap",
      "overlay hold",
      "overlay kill",
      "overlay pin",
      "overlay alias",
      "overlay clear",
      "overlay list",
      "explain",
      "watch",
      "status",
      "fleet",
      "gate",
      "census open",
      "census show",
      "census close",
      "census enroll",
      "census leave",
      "census answer",
      "rollout start",
      "rollout status",
      "rollout pause",
      "rollout resume",
      "rollout abort",
      "telemetry preview",
      "telemetry log",
      "telemetry disclose",
      "child add",
      "child list",
      "child revoke",
      "join",
      "keys show",
      "keys export",
      "keys rotate",
      "keys sign",
      "keys grant",
      "keys generate",
      "keys import",
      "promote",
      "token add",
      "token list",
      "token revoke",
      "schema",
      "audit",
      "dashboard",
      "backup",
      "import",
      "export",
      "completion",
    ]);
  });

  it.each(leaves)("%s has help with an example of itself, and --json", async (line) => {
    const { code, stdout } = await terminal.run(...line.split(" "), "--help");
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: headwater ${line}`);
    expect(stdout).toMatch(new RegExp(`Examples?:\n(.*\n)*.*\\$ .*headwater ${line}`));
    expect(stdout).toContain("--json");
  });

  const groups = program.commands.filter(({ commands }) => commands.length > 0);
  it.each(groups.map((group) => group.name()))("%s has help with an example", async (name) => {
    const { code, stdout } = await terminal.run(name, "--help");
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`Example:\n {2}\\$ headwater ${name} `));
  });

  it("help shows the help of a command, also of one in a group", async () => {
    const asked = await terminal.run("help", "flag", "set");
    expect(asked).toEqual(await terminal.run("flag", "set", "--help"));
    expect(asked.stdout).toContain("Usage: headwater flag set");
    expect((await terminal.run("help", "flag")).stdout).toContain("Usage: headwater flag ");
    expect((await terminal.run("help")).stdout).toContain("Usage: headwater [");
  });

  it("print the version", async () => {
    expect(await terminal.run("--version")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^headwater \d+\.\d+\.\d+/),
    });
  });
});

describe("wrong usage ends with 2, and says what to do", () => {
  it.each([
    [["statsu"], "error: unknown command 'statsu'\n  hint: Did you mean status?"],
    [["flag", "kil", "a/b"], "error: unknown command 'kil'\n  hint: Did you mean kill?"],
    [["status", "--jsn"], "error: unknown option '--jsn'\n  hint: Did you mean --json?"],
    [
      ["flag", "get"],
      "error: missing required argument 'PROJECT/FLAG'\n  hint: --help shows how it is used.",
    ],
    [
      ["flag", "get", "horizon"],
      'error: "horizon" does not name a flag\n  hint: Write PROJECT/FLAG, such as horizon/new-scheduler.',
    ],
    [
      ["flag", "list", "a b"],
      'error: "a b" is no name of a project\n  hint: Write 1 to 100 letters, digits, dots, dashes and underscores.',
    ],
    [
      ["explain", "a/b", "--instance", "i"],
      "error: --instance is not enough\n  hint: Give both --instance and --version, or neither.",
    ],
    [
      ["flag", "history", "a", "--limit", "0"],
      "error: option '--limit <COUNT>' argument '0' is invalid. Write a whole number above 0.\n  hint: --help shows how it is used.",
    ],
    [
      ["child", "add", "a", "--expires", "30"],
      /"30" is no duration: write its unit too, such as 30s/,
    ],
    [["telemetry", "disclose", "loud"], /"loud" is not known/],
    [["join", "hw2.x"], /^error: token: .*\n {2}hint: Ask the parent's operator/],
    [["apply"], /^error: nothing to apply\n\s+hint: Give a flag file with -f/],
  ])("%j", async (args, stderr) => {
    const ran = await terminal.run(...args);
    expect(ran).toMatchObject({ code: 2, stdout: "" });
    expect(ran.stderr).toMatch(stderr);
  });

  it("a group without its command shows its help", async () => {
    const { code, stderr } = await terminal.run("flag");
    expect(code).toBe(2);
    expect(stderr).toContain("Usage: headwater flag");
  });
});

describe("a failure", () => {
  it.each([
    [refusal("unknown", "project: none", "look"), 1, "error: project: none\n  hint: look."],
    [refusal("invalid", "key: no", "mend it"), 3, "error: key: no\n  hint: mend it."],
    [refusal("forbidden", "no key"), 3, "error: no key"],
    [
      refusal("unavailable", "the disk is full", "make room"),
      3,
      "error: the disk is full\n  hint: make room.",
    ],
    [refusal("internal", "secret"), 3, "error: internal error; the node's log has the details"],
  ])("of the node, %s, ends with %i", async (failure, code, stderr) => {
    const { ledger, terminal: asking } = await openFakeAdmin();
    ledger.failures.set("getLedger", failure);
    expect(await asking.run("flag", "list", "horizon")).toEqual({ code, stdout: "", stderr });
  });

  it("of the connection names the node, and what to do", async () => {
    const { ledger, terminal: asking, url } = await openFakeAdmin();
    ledger.failures.set("getLedger", lost());
    const { code, stderr } = await asking.run("flag", "list", "horizon");
    expect(code).toBe(3);
    expect(stderr).toBe(
      `error: cannot reach the node at ${url}: socket hang up\n  hint: Start one with \`headwater node\`, or set HEADWATER_ADMIN_URL to one that runs.`,
    );
  });
});
