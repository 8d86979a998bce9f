import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { freePorts } from "../../scripts/demo/free-ports.ts";
import { NodeProcess } from "../../scripts/demo/node-process.ts";

const natsPassword = "a-password-of-nats";
const wrongToken = "a-token-that-nobody-gave";

let root: NodeProcess;
let child: NodeProcess;
/** All that was secret on the way, by what it is. */
const secrets = new Map<string, string>([
  ["the password of NATS", natsPassword],
  ["a token that is wrong", wrongToken],
]);

beforeAll(async () => {
  const [nobody = 0] = await freePorts(1);
  const all = { HEADWATER_LOG_LEVEL: "debug" };
  const natsUrl = `nats://somebody:${natsPassword}@127.0.0.1:${nobody}`;
  root = await NodeProcess.start("upstream", all);
  child = await NodeProcess.start("plant", { ...all, HEADWATER_NATS_URL: natsUrl });
  await root.do(["init", "horizon"]);
  const joinToken = (await root.do(["child", "add", "plant"])).trim();
  secrets.set("a join token", joinToken);
  await child.do(["join", joinToken]);
  await eventually("the child follows", async () => {
    return (await child.evaluate({ project: "horizon", flag: "any" })).freshness === "FRESH";
  });
  const added = await root.do(["token", "add", "ci", "--scope", "flags"]);
  secrets.set("an operator's token", added.trim().split("\n").at(-1) ?? "");
  for (const token of [secrets.get("an operator's token"), wrongToken])
    await ask(root, `Bearer ${token}`);
  await child.do(["init", "horizon", "--overlay"]);
  await root.do(["child", "revoke", "plant"]);
  await child.do(["join", joinToken]).catch(() => {});
  for (const node of [root, child]) noteFiles(node);
}, 120_000);

afterAll(async () => {
  for (const node of [child, root]) await node?.[Symbol.asyncDispose]();
});

/** What of a node's files is secret as text: its own, and its operator's keys. */
function noteFiles(node: NodeProcess): void {
  for (const name of ["admin.token", "site.secret"]) {
    const text = readFileSync(join(node.dataDirectory, name), "utf8").trim();
    secrets.set(`${name} of ${node.name}`, text);
    secrets.set(`${name} of ${node.name}, hex`, Buffer.from(text, "base64url").toString("hex"));
  }
  for (const path of filesIn(join(node.directory, "config")))
    for (const [word] of readFileSync(path, "utf8").matchAll(/[\w+/=-]{40,}/g))
      secrets.set(`${path} of ${node.name}: ${word.slice(0, 4)}…`, word);
}

async function ask(node: NodeProcess, authorization: string): Promise<void> {
  const headers = { authorization, "content-type": "application/json" };
  const url = `http://${node.admin}/headwater.v1.NodeService/GetStatus`;
  await (await fetch(url, { method: "POST", headers, body: "{}" })).text();
}

function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

test("no log has a secret, whatever its level", () => {
  expect(secrets.size).toBeGreaterThan(10);
  expect([...secrets.values()].filter((secret) => secret.length < 16)).toEqual([]);
  for (const { stderr } of [root, child]) {
    expect(stderr).toContain('"event":"freshness-changed"');
    expect([...secrets].filter(([, secret]) => stderr.includes(secret)).map(([of]) => of)).toEqual(
      [],
    );
  }
});

test("nobody but its owner can read or enter what a node or its operator keeps", () => {
  const problems = [root, child].flatMap(({ dataDirectory, directory }) =>
    [dataDirectory, join(directory, "config")].flatMap((top) =>
      [
        { parentPath: top, name: "." },
        ...readdirSync(top, { recursive: true, withFileTypes: true }),
      ]
        .map((entry) => join(entry.parentPath, entry.name))
        .filter((path) => (statSync(path).mode & 0o077) !== 0)
        .filter((path) => path !== join(directory, "config")),
    ),
  );
  expect(problems).toEqual([]);
});
