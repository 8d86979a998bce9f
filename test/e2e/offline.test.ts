import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { headwater, NodeProcess } from "../../scripts/demo/node-process.ts";

const overlay = `sha256:${"ab".repeat(32)}`;

test("everything that a root signs is made on a machine that reaches no node", async () => {
  await using root = await NodeProcess.start("upstream");
  const file = (name: string): string => join(root.directory, name);
  await root.do(["init", "horizon"]);
  await root.do(["flag", "set", "horizon/new-scheduler", "100%"]);
  writeFileSync(file("0.trust"), await root.do(["keys", "export", "horizon"]));
  await root.kill();

  // Nothing listens there, so whatever asks a node fails.
  const env = { HEADWATER_ADMIN_URL: "http://127.0.0.1:1", HEADWATER_ADMIN_TOKEN: "none" };
  const asked = await headwater(["keys", "show", "horizon"], { env });
  expect(asked.code).toBe(3);
  const run = async (...args: string[]): Promise<{ stdout: string; stderr: string }> => {
    const { code, stdout, stderr } = await headwater(["keys", ...args], { env });
    expect([args.join(" "), code, code === 0 ? "" : stderr]).toEqual([args.join(" "), 0, ""]);
    return { stdout, stderr };
  };
  let step = 0;
  /** Runs what changes a bundle, on the last one, and keeps the outcome as the next. */
  const sign = async (...args: string[]): Promise<string> => {
    const [command = "", ...rest] = args;
    const { stdout, stderr } = await run(command, "--trust", file(`${step}.trust`), ...rest);
    writeFileSync(file(`${++step}.trust`), stdout);
    return stderr;
  };
  const first = file("config/headwater/horizon.root.key");
  const keys = ["a.key", "b.key", "ledger.key", "beat.key"].map(file);
  const [a = "", b = "", ledger = "", beat = ""] = keys;
  const made: string[] = [];
  for (const key of keys) made.push((await run("generate", key)).stdout.trim());
  const [publicA = "", publicB = "", ledgerKey = "", beatKey = ""] = made;
  expect(publicA).not.toBe(publicB);
  expect(ledger).not.toBe(beat);

  // A root of two keys, each on a machine of its own: the old one and both of the new sign it.
  const drawer = file("config/headwater/horizon.term-2.grant");
  const rotated = [
    "rotate",
    "--root-key",
    first,
    "--new-key",
    publicA,
    publicB,
    "--threshold",
    "2",
  ];
  expect(await sign(...rotated, "--recovery", drawer)).toMatch(
    /root 2: 2 more of the keys of root 2/,
  );
  expect(await sign("sign", "--root-key", a)).toMatch(/root 2: 1 more/);
  expect(await sign("sign", "--root-key", b)).toMatch(/all signed\nnext: headwater keys import/);

  // Each kind of grant.
  const both = ["--root-key", a, b];
  for (const grant of [
    ["--overlay", overlay, "--flags", "new-scheduler", "--pin-max", "20%", "--expires", "90d"],
    ["--overlay", overlay, "--aliases"],
    ["--ledger-key", ledgerKey, "--term", "5", "--follows", "1"],
    ["--beat-key", beatKey],
    ["--recovery", file("horizon.term-3.grant"), "--term", "3"],
  ])
    expect(await sign("grant", ...both, ...grant)).toMatch(/all signed/);

  await root.restart();
  await root.do(["keys", "import", "horizon", file(`${step}.trust`), "--yes"]);
  const shown = await root.do(["keys", "show", "horizon"]);
  for (const says of [
    /root +2, signed by 2 of 2/,
    /overlay sha256:(ab){32}: pins new-scheduler up to 20 % +\d{4}-/,
    /overlay sha256:(ab){32}: names aliases +never/,
    /writes term 5, after term 1 with ed25519:/,
    /writes term 3 with/,
  ])
    expect(shown).toMatch(says);
  expect(shown).toContain(`beats with ${beatKey}`);
  await root.do(["promote", "horizon", "--grant", drawer]);
  expect(await root.do(["promote", "horizon", "--grant", file("horizon.term-3.grant")])).toContain(
    "2.1 -> 3.1",
  );
}, 400_000);
