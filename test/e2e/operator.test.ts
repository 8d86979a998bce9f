import { spawn } from "node:child_process";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { freePorts } from "../../scripts/demo/free-ports.ts";
import { cleanEnvironment, headwater, NodeProcess } from "../../scripts/demo/node-process.ts";
import { localhostCertificate } from "../nodes/http/localhost-certificate.ts";
import { temporaryDirectory } from "../nodes/store/temporary-directory.ts";

interface Audited {
  readonly key: string;
  readonly actor: string;
  readonly token: string;
  readonly address: string;
  readonly commit: string;
}

describe("a root and a site, for those who run them", () => {
  let root: NodeProcess;
  let site: NodeProcess;
  /** Everything that must never be in a log. */
  const secrets: string[] = [];

  beforeAll(async () => {
    root = await NodeProcess.start("upstream", { HEADWATER_LOG_LEVEL: "debug" });
    site = await NodeProcess.start("plant", { HEADWATER_LOG_LEVEL: "debug" });
    await root.do(["init", "horizon"]);
    const token = (await root.do(["child", "add", "plant"])).trim();
    secrets.push(token, token.slice(-60));
    await site.do(["join", token]);
  });
  afterAll(async () => {
    for (const node of [site, root]) await node?.[Symbol.asyncDispose]();
  });

  const tokenOf = (node: NodeProcess): string =>
    readFileSync(join(node.dataDirectory, "admin.token"), "utf8").trim();
  const runWith = (node: NodeProcess, token: string, args: readonly string[]) =>
    headwater(args, { env: { ...node.operatorEnv, HEADWATER_ADMIN_TOKEN: token } });

  test("a pipeline's token changes flags and nothing else, until it is revoked", async () => {
    const token = (await root.do(["token", "add", "ci", "--scope", "flags"])).trim();
    secrets.push(token);
    const set = await runWith(root, token, ["flag", "set", "horizon/fast-path", "5%"]);
    expect(set).toMatchObject({ code: 0 });
    const forbidden = await runWith(root, token, ["child", "add", "another"]);
    expect(forbidden).toMatchObject({ code: 3, stdout: "" });
    expect(forbidden.stderr).toMatch(/the token ci is for flags; this needs admin\n {2}hint: /);
    expect(await root.do(["token", "list"])).toMatch(/^ci +flags /m);
    await root.do(["token", "revoke", "ci"]);
    const revoked = await runWith(root, token, ["flag", "set", "horizon/fast-path", "6%"]);
    expect(revoked.code).toBe(3);
    expect(revoked.stderr).toContain("the bearer token is not this node's");
  });

  test("the audit says who, from where, with which token and for which commit", async () => {
    const file = join(root.directory, "horizon.yaml");
    writeFileSync(file, "project: horizon\nflags: { wide-path: { percent: 1 } }\n");
    const commit = "4c1d2f0e9b8a7c6d5e4f3a2b1c0d9e8f7a6b5c4d";
    const env = { ...root.operatorEnv, GITHUB_SHA: commit };
    expect(await headwater(["apply", "-f", file, "--yes"], { env })).toMatchObject({ code: 0 });
    const audit = JSON.parse(await root.do(["audit", "--json"])) as Audited[];
    expect(audit[0]).toMatchObject({
      key: "flag/wide-path",
      actor: expect.stringMatching(/@/),
      token: "admin.token",
      address: "127.0.0.1",
      commit,
    });
    expect(audit.map(({ key }) => key)).toEqual(
      expect.arrayContaining(["child/plant", "token/ci", "flag/fast-path", "ledger/created"]),
    );
    expect(audit.find(({ key }) => key === "flag/fast-path")?.token).toBe("ci");
    expect(await root.do(["audit", "--limit", "1"])).toMatch(/ horizon +\+ +flag wide-path: 1 %/);
    const history = await root.do(["flag", "history", "horizon/wide-path"]);
    expect(history).toMatch(/admin\.token from 127\.0\.0\.1, commit 4c1d2f0e9b8a/);
    const below = await eventually("the change is at the site", async () => {
      const said = await site.do(["flag", "history", "horizon/wide-path"]);
      return said.includes("wide-path") ? said : undefined;
    });
    expect(below).toContain("upstream upstream");
    expect(below).not.toContain(commit.slice(0, 12));
  });

  test("a backup is made while it runs, is private, and is a node", async () => {
    const copy = join(root.directory, "copy");
    const [changes] = await Promise.all([
      (async () => {
        for (let percent = 1; percent <= 5; percent++)
          await root.do(["flag", "set", "horizon/busy", `${percent}%`]);
        return 5;
      })(),
      root.do(["backup", copy]),
    ]);
    expect(changes).toBe(5);
    expect(readdirSync(copy).toSorted()).toEqual(["headwater.db", "site.secret"]);
    for (const file of readdirSync(copy))
      expect(statSync(join(copy, file)).mode & 0o777).toBe(0o600);
    expect(readdirSync(root.dataDirectory).filter((name) => name.includes("backup"))).toEqual([]);
    expect(await root.run(["backup", copy])).toMatchObject({ code: 2 });
    await using restored = await NodeProcess.start("restored", { HEADWATER_DATA_DIR: copy });
    expect(await restored.do(["flag", "list", "horizon"])).toMatch(/wide-path +1 %/);
    expect(readFileSync(join(copy, "site.secret"), "utf8")).toBe(
      readFileSync(join(root.dataDirectory, "site.secret"), "utf8"),
    );
  });

  test("no log holds a secret, after all of this and what went wrong", async () => {
    await runWith(root, "a-wrong-token-of-the-test", ["status"]);
    await runWith(root, tokenOf(root), ["join", secrets[0] ?? ""]);
    await site.do(["init", "horizon", "--overlay"]);
    await site.do(["overlay", "cap", "horizon/fast-path", "1%"]);
    await headwater(["status"], { env: { ...root.operatorEnv, HEADWATER_ADMIN_TOKEN: "" } });
    for (const node of [root, site]) {
      secrets.push(tokenOf(node));
      secrets.push(readFileSync(join(node.dataDirectory, "site.secret"), "utf8").trim());
    }
    secrets.push("a-wrong-token-of-the-test");
    await eventually("both have told what they did", () =>
      [root, site].every(({ stderr }) => stderr.includes('"operated"')),
    );
    for (const node of [root, site]) {
      const log = node.stderr;
      expect(log.length).toBeGreaterThan(500);
      for (const secret of secrets) {
        expect(secret.length).toBeGreaterThan(20);
        expect(log).not.toContain(secret);
        const hex = Buffer.from(secret, "base64url").toString("hex");
        expect(log).not.toContain(hex);
      }
      for (const line of log.trim().split("\n"))
        expect(JSON.parse(line)).toMatchObject({
          level: expect.any(String),
          event: expect.any(String),
        });
    }
  });
});

describe("beyond loopback", () => {
  test("an admin port without TLS is no configuration", async () => {
    const env = { HEADWATER_ADMIN_ADDR: "0.0.0.0:7702" };
    const checked = await headwater(["node", "--check"], { env });
    expect(checked.code).toBe(2);
    expect(checked.stderr).toMatch(/HEADWATER_ADMIN_ADDR: .*HEADWATER_TLS_CERT_FILE/);
  });

  test("with a certificate it speaks TLS, and commands check whose it is", async () => {
    const directory = temporaryDirectory();
    const [certFile, keyFile] = [join(directory, "tls.crt"), join(directory, "tls.key")];
    writeFileSync(certFile, localhostCertificate.cert);
    writeFileSync(keyFile, localhostCertificate.key, { mode: 0o600 });
    const [apps, mesh, admin] = await freePorts(3);
    const env = {
      HEADWATER_DATA_DIR: join(directory, "data"),
      HEADWATER_APPS_ADDR: `127.0.0.1:${apps}`,
      HEADWATER_MESH_ADDR: `127.0.0.1:${mesh}`,
      HEADWATER_ADMIN_ADDR: `0.0.0.0:${admin}`,
      HEADWATER_TLS_CERT_FILE: certFile,
      HEADWATER_TLS_KEY_FILE: keyFile,
    };
    const cli = join(import.meta.dirname, "../../nodes/cli/main.ts");
    const node = spawn(process.execPath, [cli, "node"], {
      env: { ...cleanEnvironment(), ...env },
      stdio: "ignore",
    });
    try {
      const asked = {
        HEADWATER_DATA_DIR: env.HEADWATER_DATA_DIR,
        HEADWATER_ADMIN_URL: `https://localhost:${admin}`,
      };
      const trusted = { ...asked, HEADWATER_TLS_CA_FILE: certFile };
      await eventually("it answers over TLS", async () => {
        const { code, stdout } = await headwater(["status"], { env: trusted });
        return code === 0 && stdout.includes("up ");
      });
      const strange = await headwater(["status"], { env: asked });
      expect(strange.code).toBe(3);
      expect(strange.stderr).toMatch(/certificate/);
      const token = readFileSync(join(env.HEADWATER_DATA_DIR, "admin.token"), "utf8").trim();
      const bare = { HEADWATER_ADMIN_URL: "http://example.org:7702", HEADWATER_ADMIN_TOKEN: token };
      const clear = await headwater(["status"], { env: bare });
      expect(clear.code).toBe(2);
      expect(clear.stderr).toContain("in the clear");
    } finally {
      node.kill();
    }
  });
});
