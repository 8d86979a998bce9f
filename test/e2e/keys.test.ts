import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { EnvelopeSchema, HeadSchema } from "../../gen/headwater/v1/ledger_pb.ts";
import { WriterKeysSchema } from "../../gen/headwater/v1/store_pb.ts";
import { openStore } from "../../nodes/store/store.ts";
import { sequenceMax } from "../../relay/limits.ts";
import { payloadType, seal } from "../../relay/trust/envelope.ts";
import { SigningKey } from "../../relay/trust/key.ts";
import { eventually } from "../../scripts/demo/eventually.ts";
import { joinProcess, NodeProcess } from "../../scripts/demo/node-process.ts";

const flag = { project: "horizon", flag: "new-scheduler" };

/** Types a command whose answer is a file; the file's path. */
async function into(node: NodeProcess, path: string, args: readonly string[]): Promise<string> {
  const file = join(node.directory, path);
  writeFileSync(file, await node.do(args));
  return file;
}

function secretOf(node: NodeProcess, name: string): string {
  return join(node.directory, "config/headwater", name);
}

/** Where a node stands with the project: `term.seq` of its own ledger. */
async function positionAt(node: NodeProcess): Promise<string> {
  const { projects } = JSON.parse(await node.do(["status", "--json"])) as {
    projects: { layers: { position?: { term: number; seq: number } }[] }[];
  };
  const position = projects[0]?.layers[0]?.position;
  return `${position?.term}.${position?.seq}`;
}

async function rootAt(node: NodeProcess): Promise<number> {
  const shown = JSON.parse(await node.do(["keys", "show", "horizon", "--json"])) as {
    root: { version: number };
  };
  return shown.root.version;
}

const reasonAt = (node: NodeProcess, reason: string): Promise<unknown> =>
  eventually(
    `${node.name} answers ${reason}`,
    async () => (await node.evaluate(flag)).reason === reason,
    40_000,
  );

/** What a thief of a node's disk can do: sign, with its key, a head that nothing can follow. */
function exhaustSequence(dataDirectory: string): void {
  using store = openStore({ directory: dataDirectory });
  const records = [...store.load()];
  const keys = records.find(({ bucket }) => bucket === "key");
  const stored = records.find(({ bucket }) => bucket === "head");
  if (keys === undefined || stored === undefined) throw new Error("nothing to steal");
  const thief = new SigningKey(fromBinary(WriterKeysSchema, keys.value).ledgerSeed);
  const head = fromBinary(HeadSchema, fromBinary(EnvelopeSchema, stored.value).payload);
  if (head.position !== undefined) head.position.seq = sequenceMax;
  const payload = toBinary(HeadSchema, create(HeadSchema, head));
  const envelope = seal({ type: payloadType.head, payload, keys: [thief] });
  store.write([{ bucket: "head", key: stored.key, value: toBinary(EnvelopeSchema, envelope) }]);
}

test("a stolen ledger key: the standby takes over, and everybody follows the new term", async () => {
  await using root = await NodeProcess.start("upstream");
  await using standby = await NodeProcess.start("standby");
  await using vendor = await NodeProcess.start("acme");
  await using site = await NodeProcess.start("plant");
  await root.do(["init", "horizon"]);
  await root.do(["flag", "set", "horizon/new-scheduler", "0%"]);
  await joinProcess(root, standby);
  await reasonAt(standby, "OFF");
  await joinProcess(root, vendor);
  await joinProcess(standby, vendor);
  await reasonAt(vendor, "OFF");
  await joinProcess(vendor, site);
  await reasonAt(site, "OFF");

  // The thief switches it on for everybody, and leaves no sequence for the owner to mend it with.
  await root.do(["flag", "set", "horizon/new-scheduler", "100%"]);
  await root.kill();
  exhaustSequence(root.dataDirectory);
  await root.restart();
  await eventually(
    "the thief's head has come",
    async () => (await positionAt(site)) === `1.${sequenceMax}`,
    40_000,
  );
  await reasonAt(site, "FULL");
  const stuck = await root.run(["flag", "kill", "horizon/new-scheduler"]);
  expect(stuck.stderr).toMatch(/sequence of term 1 is used up[^]*headwater promote/);

  const grant = secretOf(root, "horizon.term-2.grant");
  const skipped = await standby.run([
    "promote",
    "horizon",
    "--grant",
    secretOf(root, "horizon.term-3.grant"),
    "--force",
  ]);
  expect(skipped).toMatchObject({ code: 3 });
  expect(skipped.stderr).toMatch(/term: 3 follows 2/);
  const early = await standby.run(["promote", "horizon", "--grant", grant]);
  expect(early).toMatchObject({ code: 3 });
  expect(early.stderr).toMatch(/was heard of[^]*--force/);
  const promoted = await standby.do(["promote", "horizon", "--grant", grant, "--force"]);
  expect(promoted).toContain(`1.${sequenceMax} -> 2.1`);

  // Nothing has changed but who writes; then the owner mends it.
  for (const node of [standby, vendor, site])
    await eventually(
      `${node.name} is in the new term`,
      async () => (await positionAt(node)) === "2.1",
      40_000,
    );
  expect((await site.evaluate(flag)).reason).toBe("FULL");
  await standby.do(["flag", "kill", "horizon/new-scheduler", "--note", "stolen key"]);
  for (const node of [standby, vendor, site]) await reasonAt(node, "KILLED");

  // The owner ends the stolen key's grant: a new root, made without a node, signs it no more.
  const bundle = await into(standby, "horizon.trust", ["keys", "export", "horizon"]);
  const { grants } = JSON.parse(await standby.do(["keys", "show", "horizon", "--json"])) as {
    grants: { id: string; says: string }[];
  };
  const stolen = grants.slice(0, 2).map(({ id }) => id);
  expect(grants.slice(0, 2).map(({ says }) => says)).toEqual([
    expect.stringMatching(/^writes term 1 /),
    expect.stringMatching(/^beats /),
  ]);
  const rootKey = secretOf(root, "horizon.root.key");
  const made = ["--generate", join(standby.directory, "new.key")];
  const drawer = ["--recovery", secretOf(root, "horizon.term-3.grant")];
  const args = [
    "--trust",
    bundle,
    "--root-key",
    rootKey,
    "--without",
    ...stolen,
    ...made,
    ...drawer,
  ];
  const rotated = await into(standby, "new.trust", ["keys", "rotate", ...args]);
  expect(statSync(join(standby.directory, "new.key")).mode & 0o777).toBe(0o600);
  await standby.do(["keys", "import", "horizon", rotated, "--yes"]);
  await eventually("the new root is at the site", async () => (await rootAt(site)) === 2, 40_000);

  // The thief goes on, with all that was stolen and with a bigger sequence of the old term.
  await site.kill();
  await site.restart();
  await vendor.kill();
  await vendor.restart();
  for (const node of [vendor, site]) await reasonAt(node, "KILLED");
  await standby.do(["flag", "revive", "horizon/new-scheduler"]);
  await standby.do(["flag", "set", "horizon/new-scheduler", "0%"]);
  for (const node of [standby, vendor, site]) await reasonAt(node, "OFF");

  // Who writes it survives a restart, and the next recovery grant is still good.
  await standby.kill();
  await standby.restart();
  await standby.do(["flag", "set", "horizon/new-scheduler", "100%"]);
  for (const node of [vendor, site]) await reasonAt(node, "FULL");
  await standby.do(["promote", "horizon", "--grant", secretOf(root, "horizon.term-3.grant")]);
  await eventually("term 3 is at the site", async () => (await positionAt(site)) === "3.1", 40_000);
  const history = await standby.do(["flag", "history", "horizon"]);
  expect(history).toMatch(/trust root-2/);
  expect(history).toMatch(/trust term-2/);
}, 240_000);

test("a leaf that was away while the root was rotated twice takes both", async () => {
  await using root = await NodeProcess.start("upstream");
  await using site = await NodeProcess.start("plant");
  await root.do(["init", "horizon"]);
  await root.do(["flag", "set", "horizon/new-scheduler", "0%"]);
  await joinProcess(root, site);
  await reasonAt(site, "OFF");
  await site.kill();
  let key = secretOf(root, "horizon.root.key");
  for (const version of [2, 3]) {
    const bundle = await into(root, `${version - 1}.trust`, ["keys", "export", "horizon"]);
    const next = join(root.directory, `${version}.key`);
    const args = ["--trust", bundle, "--root-key", key, "--generate", next];
    const rotated = await into(root, `${version}.trust`, ["keys", "rotate", ...args]);
    await root.do(["keys", "import", "horizon", rotated]);
    key = next;
  }
  await root.do(["flag", "set", "horizon/new-scheduler", "100%"]);
  await site.restart();
  await reasonAt(site, "FULL");
  expect(await rootAt(site)).toBe(3);
}, 120_000);
