import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { headwater, joinProcess, NodeProcess } from "../../scripts/demo/node-process.ts";

const note = "x".repeat(200);
const flags = Object.fromEntries(
  Array.from({ length: 2_000 }, (_, at) => [`flag-${at}`, { percent: 1, note }]),
);

/** What an operator looks at, where nothing changes meanwhile. */
const looks = [
  ["flag", "list", "nova"],
  ["child", "list"],
  ["token", "list"],
  ["census", "show", "horizon"],
  ["keys", "show", "horizon"],
];

function lookAround(node: NodeProcess): Promise<string[]> {
  return Promise.all(looks.map((args) => node.do([...args, "--json"])));
}

test("a backup that was taken while flags changed is the whole node, under another name too", async () => {
  await using root = await NodeProcess.start("upstream");
  await using site = await NodeProcess.start("plant");
  for (const project of ["horizon", "nova"]) await root.do(["init", project]);
  const file = { project: "horizon", flags, releases: ["2.3.0"] };
  await root.do(["apply", "-f", "-", "--yes"], JSON.stringify(file));
  await joinProcess(root, site);
  const token = (await root.do(["token", "add", "ci", "--scope", "flags"])).trim();
  await root.do(["rollout", "start", "horizon/flag-7", "--steps", "2%,25%,100%"]);
  await root.do(["census", "open", "horizon", "--below", "2.3.0"]);
  await root.do(["flag", "set", "nova/fast-path", "5%"]);
  const before = await lookAround(root);

  const safe = join(root.directory, "safe");
  let isCopied = false;
  const changing = async (): Promise<void> => {
    for (let at = 1; !isCopied; at++)
      await root.do(["flag", "set", `horizon/flag-${10 + (at % 5)}`, `${at % 100}%`]);
  };
  const copying = root.do(["backup", safe]).finally(() => {
    isCopied = true;
  });
  await Promise.all([changing(), copying]);
  await root.kill();
  Object.assign(root.env, { HEADWATER_NAME: "another", HEADWATER_DATA_DIR: safe });
  await root.restart();

  expect(await lookAround(root)).toEqual(before);
  expect(await root.do(["rollout", "status", "horizon/flag-7"])).toMatch(/running/i);
  expect(JSON.parse(await root.do(["flag", "list", "horizon", "--json"]))).toMatchObject({
    flags: { "flag-7": { percent: 2, note }, "flag-1999": { percent: 1, note } },
    releases: ["2.3.0"],
  });
  const env = { HEADWATER_ADMIN_URL: `http://${root.admin}`, HEADWATER_ADMIN_TOKEN: token };
  expect(await headwater(["flag", "list", "nova"], { env })).toMatchObject({ code: 0 });
  await eventually(
    "its child is back",
    async () => /plant\/plant +yes +horizon/.test(await root.do(["status"])),
    60_000,
  );
  expect(await root.do(["status"])).toContain("this node runs on a copy of");
  // Another node of the same site: what is kept for its parent at the child is kept for it.
  expect(await site.do(["status"])).toMatch(/upstream\/another .*CONNECTED/);
}, 240_000);
