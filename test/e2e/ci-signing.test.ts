import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { WriterKeysSchema } from "../../gen/headwater/v1/store_pb.ts";
import { openStore } from "../../nodes/store/store.ts";
import { eventually } from "../../scripts/demo/eventually.ts";
import { headwater, joinProcess, NodeProcess } from "../../scripts/demo/node-process.ts";

const flag = { project: "horizon", flag: "new-scheduler" };
const path = "horizon/new-scheduler";

const answers = (node: NodeProcess, reason: string): Promise<unknown> =>
  eventually(
    `${node.name} answers ${reason}`,
    async () => {
      const { reason: said, freshness } = await node.evaluate(flag);
      return said === reason && freshness === "FRESH";
    },
    40_000,
  );

/** The secret seeds that a node's disk has for what it serves. */
function seedsAt(node: NodeProcess): { ledger: number; beat: number } {
  using store = openStore({ directory: node.dataDirectory });
  const [keys] = [...store.load()].filter(({ bucket }) => bucket === "key");
  const { ledgerSeed, beatSeed } = fromBinary(WriterKeysSchema, keys?.value ?? new Uint8Array(0));
  return { ledger: ledgerSeed.length, beat: beatSeed.length };
}

test("heads are signed in CI, the server only beats, and whoever has the server can sign nothing", async () => {
  await using server = await NodeProcess.start("upstream");
  await using site = await NodeProcess.start("plant");
  const file = (name: string): string => join(server.directory, name);
  const flags = (percent: number): void =>
    writeFileSync(
      file("flags.yaml"),
      `project: horizon\nflags:\n  new-scheduler: { percent: ${percent} }\nreleases: ["2.3.0"]\n`,
    );
  const key = file("horizon.ledger.key");
  await server.do(["keys", "generate", key, "--ledger"]);
  await server.do(["init", "horizon", "--sign-with", key]);
  expect(await server.do(["status"])).toMatch(/horizon .*1\.1 .*signed elsewhere/);
  flags(0);
  const apply = ["apply", "-f", file("flags.yaml"), "--yes"];
  const signing = [...apply, "--sign-with", key];
  expect(await server.do(signing)).toContain("applied; horizon is at 1.2");
  await joinProcess(server, site);
  await answers(site, "OFF");

  // The server has no key to sign with, and says who has.
  for (const args of [apply, ["flag", "set", path, "100%"], ["flag", "kill", path]]) {
    flags(100);
    const refused = await server.run(args);
    expect(refused).toMatchObject({ code: 3 });
    expect(refused.stderr).toMatch(/ledger key is not at the node[^]*HEADWATER_LEDGER_KEY_FILE/);
  }
  await server.kill();
  expect(seedsAt(server)).toEqual({ ledger: 0, beat: 32 });
  await server.restart();
  await answers(site, "OFF");

  // CI signs a file, which somebody else hands over; handing it over twice changes nothing.
  const change = file("horizon.change");
  const written = await server.run([...signing, "--out", change]);
  expect(written).toMatchObject({ code: 0 });
  expect(written.stderr).toContain(`headwater apply --signed ${change}`);
  expect(readFileSync(change, "utf8")).toMatch(
    /^# Signed change of horizon, 1\.2 -> 1\.3\. Nothing/,
  );
  await answers(site, "OFF");
  const handed = await server.do(["apply", "--signed", change, "--yes"]);
  expect(handed).toContain("~ flag new-scheduler: percent 0 % -> 100 %");
  expect(handed).toContain("applied; horizon is at 1.3");
  await answers(site, "FULL");
  expect(await server.do(["apply", "--signed", change, "--yes"])).toContain("changes: 0");

  // An altered one is refused, and so is one that somebody has overtaken.
  flags(50);
  const late = file("late.change");
  await server.do([...signing, "--out", late]);
  const [comment = "", bytes = ""] = readFileSync(late, "utf8").split("\n");
  const altered = Buffer.from(bytes, "base64url");
  // The percentage 5000 as a varint, 88 27, becomes 5001.
  const at = altered.indexOf(Buffer.from([0x88, 0x27]));
  expect(at).toBeGreaterThan(0);
  altered[at] = 0x89;
  const forged = file("forged.change");
  writeFileSync(forged, `${comment}\n${altered.toString("base64url")}\n`);
  const refused = await server.run(["apply", "--signed", forged, "--yes"]);
  expect(refused).toMatchObject({ code: 3, stderr: expect.stringMatching(/digest: .*not what/) });
  const env = { ...server.operatorEnv, HEADWATER_LEDGER_KEY_FILE: key };
  const killed = await headwater(["flag", "kill", path, "--note", "hangs"], { env });
  expect(killed).toMatchObject({ code: 0, stdout: expect.stringContaining("horizon is at 1.4") });
  await answers(site, "KILLED");
  const overtaken = await server.run(["apply", "--signed", late, "--yes"]);
  expect(overtaken).toMatchObject({ code: 3 });
  expect(overtaken.stderr).toMatch(/changed horizon meanwhile/);

  // Another key of the same kind signs nothing, and a key that others may read is not taken.
  const other = file("other.key");
  await server.do(["keys", "generate", other, "--ledger"]);
  const stranger = await server.run([...apply, "--revive", "--sign-with", other]);
  expect(stranger).toMatchObject({ code: 3, stderr: expect.stringMatching(/has not signed what/) });

  // A new ledger key is a new term, whose first head is signed here as well.
  const next = file("next.key");
  const printed = (await server.do(["keys", "generate", next, "--ledger"])).trim();
  writeFileSync(file("old.trust"), await server.do(["keys", "export", "horizon"]));
  const rootKey = join(server.directory, "config/headwater/horizon.root.key");
  const grant = ["--trust", file("old.trust"), "--root-key", rootKey, "--ledger-key", printed];
  const granted = await server.run(["promote", "horizon", "--sign-with", next]);
  expect(granted).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/granted no term after 1/),
  });
  writeFileSync(file("new.trust"), await server.do(["keys", "grant", ...grant, "--term", "2"]));
  await server.do(["keys", "import", "horizon", file("new.trust"), "--yes"]);
  expect(await server.do(["promote", "horizon", "--sign-with", next])).toContain("1.4 -> 2.1");
  expect(await server.run([...signing, "--revive"])).toMatchObject({ code: 3 });
  flags(100);
  await server.do([...apply, "--revive", "--sign-with", next]);
  await answers(site, "FULL");
  await server.kill();
  expect(seedsAt(server)).toEqual({ ledger: 0, beat: 32 });
}, 300_000);

test("a recovery grant, too, can go on without its ledger key leaving the drawer's machine", async () => {
  await using root = await NodeProcess.start("upstream");
  await root.do(["init", "horizon"]);
  await root.do(["flag", "set", path, "100%"]);
  const recovery = join(root.directory, "config/headwater/horizon.term-2.grant");
  await root.do(["promote", "horizon", "--sign-with", recovery]);
  expect(await root.do(["status"])).toMatch(/horizon .*2\.1 .*signed elsewhere/);
  expect((await root.run(["flag", "kill", path])).code).toBe(3);
  const env = { ...root.operatorEnv, HEADWATER_LEDGER_KEY_FILE: recovery };
  await headwater(["flag", "kill", path], { env });
  await answers(root, "KILLED");
  await root.kill();
  expect(seedsAt(root)).toEqual({ ledger: 0, beat: 32 });
}, 180_000);
