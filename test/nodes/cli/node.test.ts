import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { localhostCertificate } from "../http/localhost-certificate.ts";
import { temporaryDirectory } from "../store/temporary-directory.ts";
import { FakeTerminal } from "./fake-terminal.ts";

const fingerprint = `sha256:${"0".repeat(64)}`;

it("explains every setting in its help", async () => {
  const { stdout } = await new FakeTerminal({}).run("node", "--help");
  await expect(`${stdout}\n`).toMatchFileSnapshot("node-help.txt");
});

describe("--check", () => {
  it("says that a configuration is valid", async () => {
    const terminal = new FakeTerminal({ HEADWATER_WINDOW: "10s" });
    expect(await terminal.run("node", "--check", "--disclosure", "exact")).toEqual({
      code: 0,
      stdout: "the configuration is valid",
      stderr: "",
    });
    expect(await terminal.json("node", "--check")).toEqual({ ok: true });
  });

  it("tells all problems: of flags, environment, file, and of the files that they name", async () => {
    const directory = temporaryDirectory();
    const path = (name: string, text: string): string => {
      writeFileSync(join(directory, name), text);
      return join(directory, name);
    };
    const trust = path("trust.toml", 'horizon = "sha256:1"\n');
    const certificate = path("tls.crt", "not a certificate");
    const token = path("join.token", "hw1.AAAA");
    const config = path("node.toml", `windwo = "1h"\ntls-cert-file = "${certificate}"\n`);
    const terminal = new FakeTerminal({
      HEADWATER_NAM: "a",
      HEADWATER_TRUST_FILE: trust,
      HEADWATER_JOIN_FILE: token,
      HEADWATER_TLS_CA_FILE: join(directory, "none.crt"),
      HEADWATER_NATS_URL: "nats://127.0.0.1:4222",
      HEADWATER_NATS_CREDENTIALS_FILE: join(directory, "none.creds"),
      HEADWATER_NATS_CA_FILE: certificate,
    });
    const args = ["node", "--check", "--config", config, "--window", "soon"];
    const { code, stdout, stderr } = await terminal.run(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.split("\n")).toEqual([
      "error: 10 problems in the configuration",
      "  HEADWATER_NAM: no such setting: did you mean HEADWATER_NAME?",
      "  windwo: no such setting: did you mean window?",
      expect.stringContaining('  --window: "soon" is no duration: write'),
      expect.stringContaining("  HEADWATER_TLS_KEY_FILE: missing: set it"),
      expect.stringContaining(
        `  HEADWATER_TRUST_FILE: ${trust}: horizon: "sha256:1" is no fingerprint`,
      ),
      expect.stringContaining(`  HEADWATER_JOIN_FILE: ${token}: token: `),
      expect.stringContaining(`  HEADWATER_TLS_CERT_FILE: ${certificate}: it is not PEM`),
      expect.stringContaining("  HEADWATER_TLS_CA_FILE: cannot read"),
      expect.stringContaining("  HEADWATER_NATS_CREDENTIALS_FILE: cannot read"),
      expect.stringContaining(`  HEADWATER_NATS_CA_FILE: ${certificate}: it is not PEM`),
      "  hint: `headwater node --help` explains every setting.",
    ]);
  });

  it("tells of a key that is of another certificate", async () => {
    const file = (name: string): string => join(import.meta.dirname, "../mesh/certificates", name);
    const terminal = new FakeTerminal({ HEADWATER_TLS_CERT_FILE: file("acme.pem") });
    const check = ["node", "--check", "--tls-key-file"];
    expect(await terminal.run(...check, file("acme.key"))).toMatchObject({ code: 0 });
    const { code, stderr } = await terminal.run(...check, file("elsewhere.key"));
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /HEADWATER_TLS_KEY_FILE: .*elsewhere\.key: does not do with .*acme\.pem/,
    );
  });

  it.each([
    ["name = ", /node\.toml: line 1, column 8: /],
    ["[node]\nname = 1\n", /node\.toml: node: write a text, a number or a list of them/],
  ])("tells where the file %j is wrong", async (toml, problem) => {
    const config = join(temporaryDirectory(), "node.toml");
    writeFileSync(config, toml);
    const { code, stderr } = await new FakeTerminal({}).run("node", "--check", "--config", config);
    expect(code).toBe(2);
    expect(stderr).toMatch(problem);
  });

  it.each(["tls-cert-file", "tls-ca-file"])(
    "tells of a --%s that has no certificate",
    async (flag) => {
      const key = join(temporaryDirectory(), "tls.key");
      writeFileSync(key, localhostCertificate.key);
      const others = flag === "tls-cert-file" ? ["--tls-key-file", key] : [];
      const args = ["node", "--check", `--${flag}`, key, ...others];
      const { code, stderr } = await new FakeTerminal({}).run(...args);
      expect(code).toBe(2);
      const variable = `HEADWATER_${flag.toUpperCase().replaceAll("-", "_")}`;
      expect(stderr).toContain(`  ${variable}: ${key}: it holds no certificate that can be read`);
    },
  );

  it("tells when there is no such file", async () => {
    const { code, stderr } = await new FakeTerminal({}).run("node", "--config", "/none/node.toml");
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: "error: cannot read /none/node.toml\n  hint: --config takes the path of a TOML file.",
    });
  });
});

it("runs a node until it is interrupted, and says where it listens", {
  timeout: 30_000,
}, async () => {
  const directory = temporaryDirectory();
  const trust = join(directory, "trust.toml");
  writeFileSync(trust, `horizon = "${fingerprint}"\n`);
  const terminal = new FakeTerminal({
    HEADWATER_APPS_ADDR: "127.0.0.1:0",
    HEADWATER_MESH_ADDR: "127.0.0.1:0",
    HEADWATER_ADMIN_ADDR: "127.0.0.1:0",
    HEADWATER_DATA_DIR: join(directory, "data"),
    HEADWATER_LOG_LEVEL: "error",
    HEADWATER_NAME: "node-1",
    HEADWATER_SITE: "acme",
    HEADWATER_TRUST_FILE: trust,
  });
  const running = terminal.run("node", "--json");
  await vi.waitFor(() => expect(terminal.printed).toHaveLength(1), 20_000);
  const ready = JSON.parse(terminal.printed[0] ?? "") as Record<string, string>;
  expect(ready).toEqual({
    name: "node-1",
    site: "acme",
    apps: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    mesh: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    admin: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    tokenFile: join(directory, "data", "admin.token"),
  });
  // The token is found where the node has put it.
  const operator = new FakeTerminal({
    HEADWATER_ADMIN_URL: `http://${ready["admin"]}`,
    HEADWATER_DATA_DIR: join(directory, "data"),
  });
  expect((await operator.run("status")).stdout).toContain("node-1 of site acme");
  terminal.interruption.abort();
  expect(await running).toMatchObject({ code: 0, stderr: "" });
});
