import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { freePorts } from "../../scripts/demo/free-ports.ts";
import {
  type CommandResult,
  headwater,
  joinProcess,
  NodeProcess,
} from "../../scripts/demo/node-process.ts";
import { mountSmallDisk } from "../nodes/store/small-disk.ts";
import { temporaryDirectory } from "../nodes/store/temporary-directory.ts";

/** What every failure owes to whoever sees it. */
function expectClearError(result: CommandResult, of: { code: number; says: RegExp }): void {
  expect(result.stderr).toMatch(of.says);
  expect(result.stderr).toMatch(/^error: /m);
  expect(result.stderr).not.toMatch(/^\s+at .*:\d+:\d+/m);
  expect(result.code).toBe(of.code);
}

describe("commands", () => {
  let root: NodeProcess;

  beforeAll(async () => {
    root = await NodeProcess.start("upstream");
    await root.do(["init", "horizon"]);
    await root.do(["flag", "set", "horizon/new-scheduler", "5%"]);
  }, 30_000);
  afterAll(async () => root?.[Symbol.asyncDispose]());

  test("what others have written reaches a terminal as text, not as orders", async () => {
    const note = "\x1b]0;owned\x07\x1b[2J\x9b2J";
    await root.do(["flag", "set", "horizon/shouting", "5%", "--note", note]);
    for (const command of ["list horizon", "get horizon/shouting", "history horizon"]) {
      const shown = await root.do(["flag", ...command.split(" ")]);
      expect(shown).toContain("\\u001b");
      for (const order of ["\x1b", "\x07", "\x9b"]) expect(shown).not.toContain(order);
    }
    const listed = await root.do(["flag", "list", "horizon", "--json"]);
    expect(JSON.parse(listed)).toMatchObject({ flags: { shouting: { note } } });
    await root.do(["flag", "delete", "horizon/shouting", "--yes"]);
  });

  const cases: [string, string[], { code: number; says: RegExp }, string?][] = [
    ["unknown project", ["flag", "list", "nova"], { code: 1, says: /"nova" is not held here/ }],
    ["unknown flag", ["explain", "horizon/nope"], { code: 1, says: /no "nope"/ }],
    ["unknown command", ["frobnicate"], { code: 2, says: /unknown command 'frobnicate'/ }],
    ["percent out of range", ["flag", "set", "horizon/x", "101%"], { code: 2, says: /101%/ }],
    ["percent of no step", ["flag", "set", "horizon/x", "0.001%"], { code: 2, says: /0\.01/ }],
    ["no name", ["flag", "set", "horizon/-x", "1%"], { code: 2, says: /-x/ }],
    [
      "a range of no form",
      ["flag", "set", "horizon/x", "1%", "--versions", ">>1"],
      { code: 2, says: /versions/i },
    ],
    ["a second project", ["init", "horizon"], { code: 3, says: /horizon\.root\.key/ }],
    ["a cut-off token", ["join", "hw1.AAAA"], { code: 2, says: /token/ }],
    [
      "malformed YAML",
      ["apply", "--yes", "-f", "-"],
      { code: 2, says: /3:\d+/ },
      "project: horizon\nflags:\n  a: { percent: [ }\n",
    ],
    [
      "a version that YAML has made a number",
      ["apply", "--yes", "-f", "-"],
      { code: 2, says: /"2\.10"/ },
      "project: horizon\nreleases: [2.10]\n",
    ],
  ];

  test.each(cases)("%s", async (_name, args, expected, input) => {
    expectClearError(await root.run(args, input), expected);
  });

  test("nothing of it has changed anything", async () => {
    const list = JSON.parse(await root.do(["flag", "list", "horizon", "--json"])) as {
      flags: object;
    };
    expect(Object.keys(list.flags)).toEqual(["new-scheduler"]);
  });

  test("a node that is not there", async () => {
    const [port] = await freePorts(1);
    const result = await headwater(["status"], {
      env: { HEADWATER_ADMIN_URL: `http://127.0.0.1:${port}`, HEADWATER_ADMIN_TOKEN: "x" },
    });
    expectClearError(result, { code: 3, says: /127\.0\.0\.1/ });
  });

  test("a wrong admin token", async () => {
    const result = await headwater(["status"], {
      env: { HEADWATER_ADMIN_URL: `http://${root.admin}`, HEADWATER_ADMIN_TOKEN: "wrong" },
    });
    expectClearError(result, { code: 3, says: /HEADWATER_ADMIN_TOKEN/ });
  });

  test.each(["HEADWATER_APPS_ADDR", "HEADWATER_MESH_ADDR", "HEADWATER_ADMIN_ADDR"])(
    "a port in use: %s",
    async (setting) => {
      const directory = mkdtempSync(join(tmpdir(), "headwater-port-"));
      const env = {
        HEADWATER_APPS_ADDR: "127.0.0.1:0",
        HEADWATER_MESH_ADDR: "127.0.0.1:0",
        HEADWATER_ADMIN_ADDR: "127.0.0.1:0",
        [setting]: root.env[setting] ?? "",
        HEADWATER_DATA_DIR: directory,
      };
      const result = await headwater(["node"], { env });
      expectClearError(result, { code: 3, says: new RegExp(setting) });
      rmSync(directory, { recursive: true });
    },
  );

  test("a data directory that another node has locked", async () => {
    const result = await headwater(["node"], { env: root.env });
    expectClearError(result, { code: 3, says: /HEADWATER_DATA_DIR/ });
    expect(result.stderr).toMatch(/another node/);
  });

  test("all problems of a configuration at once, with the nearest name", async () => {
    const result = await headwater(["node", "--check"], {
      env: {
        HEADWATER_WINDOW: "soon",
        HEADWATER_APPS_ADDRESS: "127.0.0.1:1",
        HEADWATER_DISCLOSURE: "some",
      },
    });
    expectClearError(result, { code: 2, says: /HEADWATER_APPS_ADDR\b/ });
    expect(result.stderr).toMatch(/HEADWATER_WINDOW/);
    expect(result.stderr).toMatch(/HEADWATER_DISCLOSURE/);
  });

  test("a site secret that is none", async () => {
    const directory = mkdtempSync(join(tmpdir(), "headwater-secret-"));
    const secret = join(directory, "site.secret");
    writeFileSync(secret, "not a secret");
    const result = await headwater(["node"], {
      env: { HEADWATER_DATA_DIR: join(directory, "data"), HEADWATER_SITE_SECRET_FILE: secret },
    });
    expectClearError(result, { code: 3, says: /site\.secret/ });
    rmSync(directory, { recursive: true });
  });
});

describe("upstreams that are none", () => {
  let stranger: Server;

  beforeAll(async () => {
    stranger = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    stranger.listen(0, "127.0.0.1");
    await once(stranger, "listening");
  });
  afterAll(() => stranger.close());

  test.each([
    ["down", (port: number) => port, /refused|reach/],
    ["not a Headwater node", () => (stranger.address() as { port: number }).port, /Headwater/],
  ])(
    "%s: status says so, and the node serves on",
    async (_what, portOf, says) => {
      const [free = 0] = await freePorts(1);
      await using node = await NodeProcess.start("plant", {
        HEADWATER_UPSTREAMS: `127.0.0.1:${portOf(free)}`,
      });
      await eventually("status names the problem", async () =>
        says.test(await node.do(["status"])),
      );
      expect(await node.evaluate({ project: "horizon", flag: "x" })).toEqual({
        enabled: false,
        reason: "UNKNOWN_FLAG",
        freshness: "EMPTY",
      });
    },
    30_000,
  );

  test("an upstream that has nothing to give takes nothing away", async () => {
    await using root = await NodeProcess.start("upstream");
    await using site = await NodeProcess.start("plant");
    await root.do(["init", "horizon"]);
    await root.do(["flag", "set", "horizon/new-scheduler", "100%"]);
    await joinProcess(root, site);
    const isOn = async () =>
      (await site.evaluate({ project: "horizon", flag: "new-scheduler" })).enabled;
    await eventually("the flag has come", isOn);
    await root.kill();
    const data = join(root.directory, "data");
    const secret = readFileSync(join(data, "site.secret"));
    rmSync(data, { recursive: true });
    mkdirSync(data, { mode: 0o700 });
    writeFileSync(join(data, "site.secret"), secret, { mode: 0o600 });
    await root.restart();
    await eventually(
      "the site is connected to the emptied root",
      async () => /CONNECTED/i.test(await site.do(["status"])),
      40_000,
    );
    expect(await isOn()).toBe(true);
  }, 90_000);
});

test("a full disk refuses the change, says so, and loses nothing", async (context) => {
  const disk = temporaryDirectory();
  if (!mountSmallDisk(disk)) context.skip("only root can mount a small disk to fill");
  await using node = await NodeProcess.start("upstream", {
    HEADWATER_DATA_DIR: join(disk, "data"),
  });
  await node.do(["init", "horizon"]);
  await node.do(["flag", "set", "horizon/kept", "100%"]);
  const failure = await fill(node);
  expectClearError(failure, { code: 3, says: /nothing was changed/ });
  expect((await node.evaluate({ project: "horizon", flag: "kept" })).enabled).toBe(true);
});

/** Applies more and more flags, 100 kB at a time, until it is refused. */
async function fill(node: NodeProcess): Promise<CommandResult> {
  const note = "x".repeat(1_900);
  for (let i = 0; i < 100; i++) {
    const flags = Array.from(
      { length: 50 },
      (_, j) => `f-${i}-${j}: { percent: 1, note: ${note} }`,
    );
    const file = `project: horizon\nflags: { ${flags.join(", ")} }\n`;
    const result = await node.run(["apply", "--yes", "-f", "-"], file);
    if (result.code !== 0) return result;
  }
  throw new Error("10 MB fit on a disk of 1 MB");
}

test("a data directory that can not be used", async () => {
  const directory = mkdtempSync(join(tmpdir(), "headwater-file-"));
  const file = join(directory, "data");
  writeFileSync(file, "");
  chmodSync(file, 0o600);
  const result = await headwater(["node"], { env: { HEADWATER_DATA_DIR: file } });
  expectClearError(result, { code: 2, says: /HEADWATER_DATA_DIR/ });
  rmSync(directory, { recursive: true });
});
