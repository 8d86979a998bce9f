import { describe, expect, it } from "vitest";
import { appOptions } from "../../../nodes/config/app-options.ts";
import { type NodeConfig, readConfig } from "../../../nodes/config/config.ts";
import { type NodeSettings, nodeOptions } from "../../../nodes/config/node-options.ts";
import { operatorOptions } from "../../../nodes/config/operator-options.ts";
import type { Option } from "../../../nodes/config/option.ts";
import type { Sources } from "../../../nodes/config/settings.ts";

const hostName = "node-1";

function configOf(sources: Partial<Sources>): NodeConfig {
  const outcome = readConfig({ env: {}, hostName, ...sources });
  if ("problems" in outcome) throw new Error(outcome.problems.join("\n"));
  return outcome.config;
}

function problemsOf(sources: Partial<Sources> & { hostName?: string }): readonly string[] {
  const outcome = readConfig({ env: {}, hostName, ...sources });
  return "problems" in outcome ? outcome.problems : [];
}

describe("without any setting", () => {
  it("is a root on loopback that says nothing upstream", () => {
    expect(configOf({})).toEqual({
      hostName: "node-1",
      dataDir: "./data",
      appsAddress: "127.0.0.1:7700",
      appsCorsOrigins: [],
      meshAddress: "127.0.0.1:7701",
      adminAddress: "127.0.0.1:7702",
      upstreams: [],
      onBad: "REPORT",
      telemetry: "ON",
      disclosure: "OFF",
      panelTier: "under-100",
      windowMs: 24 * 60 * 60 * 1000,
      healthWindowMs: 60 * 60 * 1000,
      censusWindowMsMin: 30 * 24 * 60 * 60 * 1000,
      logLevel: "info",
    });
  });

  it("asks for a name where the host has none", () => {
    expect(problemsOf({ hostName: "a host" })).toEqual([
      'HEADWATER_NAME: the host name "a host" is no name: set it',
    ]);
  });
});

describe("DO_NOT_TRACK", () => {
  it.each([
    ["1", {}, "OFF"],
    ["true", { HEADWATER_TELEMETRY: "on" }, "OFF"],
    ["0", {}, "ON"],
    ["", {}, "ON"],
    ["0", { HEADWATER_TELEMETRY: "off" }, "OFF"],
  ])("%j with %j makes telemetry %s", (doNotTrack, env, telemetry) => {
    const outcome = readConfig({ hostName: "h", env: { ...env, DO_NOT_TRACK: doNotTrack } });
    expect("config" in outcome && outcome.config.telemetry).toBe(telemetry);
  });
});

describe("each setting of a node", () => {
  it.each<[keyof NodeSettings, string, unknown]>([
    ["name", "n-2", "n-2"],
    ["dataDir", "/var/lib/headwater", "/var/lib/headwater"],
    ["appsAddress", "0.0.0.0:0", "0.0.0.0:0"],
    ["appsCorsOrigins", "https://a.example, *", ["https://a.example", "*"]],
    ["meshAddress", "[::1]:7701", "[::1]:7701"],
    ["meshAdvertise", "flags.example.org:7701", "flags.example.org:7701"],
    ["adminAddress", "localhost:1", "localhost:1"],
    ["upstreams", "a.example:1, b.example:2,", ["a.example:1", "b.example:2"]],
    ["joinFile", "join.token", "join.token"],
    ["tlsCaFile", "ca.crt", "ca.crt"],
    ["trustFile", "trust.toml", "trust.toml"],
    ["site", "acme", "acme"],
    ["siteSecretFile", "site.secret", "site.secret"],
    [
      "natsUrl",
      "nats://u:p@a.example:4222,b.example",
      {
        servers: ["a.example:4222", "b.example:4222"],
        credentials: { by: "password", user: "u", password: "p" },
        tls: false,
      },
    ],
    ["onBad", "report", "REPORT"],
    ["onBad", "kill", "KILL"],
    ["telemetry", "off", "OFF"],
    ["disclosure", "exact", "EXACT"],
    ["disclosure", "rounded", "ROUNDED"],
    ["disclosure", "panel", "MODAL"],
    ["windowMs", "10s", 10_000],
    ["healthWindowMs", "5s", 5_000],
    ["logLevel", "debug", "debug"],
  ])("%s is read from %j", (key, text, value) => {
    const { variable } = nodeOptions[key];
    expect(configOf({ env: { [variable]: text } })[key]).toEqual(value);
  });

  it("takes certificate and key together", () => {
    const env = { HEADWATER_TLS_CERT_FILE: "tls.crt", HEADWATER_TLS_KEY_FILE: "tls.key" };
    expect(configOf({ env })).toMatchObject({ tlsCertFile: "tls.crt", tlsKeyFile: "tls.key" });
  });
});

describe("where a setting comes from", () => {
  const file = { window: "1h" };
  const env = { HEADWATER_WINDOW: "2h" };
  const flags = { window: "3h" };
  const hourMs = 3_600_000;

  it("is a flag, else the environment, else the file", () => {
    expect(configOf({ file }).windowMs).toBe(hourMs);
    expect(configOf({ file, env }).windowMs).toBe(2 * hourMs);
    expect(configOf({ file, env, flags }).windowMs).toBe(3 * hourMs);
  });

  it("is passed over when it is empty", () => {
    expect(configOf({ file, env: { HEADWATER_WINDOW: "" } }).windowMs).toBe(hourMs);
    expect(configOf({ env: { HEADWATER_NATS_URL: "" } }).natsUrl).toBeUndefined();
  });

  it("is named in a problem", () => {
    const bad = "soon";
    const sentence =
      '"soon" is no duration: write a number and d, h, m, s or ms, such as 24h, 30s or 500ms';
    expect(problemsOf({ flags: { window: bad } })).toEqual([`--window: ${sentence}`]);
    expect(problemsOf({ env: { HEADWATER_WINDOW: bad } })).toEqual([
      `HEADWATER_WINDOW: ${sentence}`,
    ]);
    expect(problemsOf({ file: { window: bad } })).toEqual([`window: ${sentence}`]);
  });
});

describe("problems", () => {
  it("are reported all together", () => {
    const env = {
      HEADWATER_DISCLOSR: "rounded",
      HEADWATER_UPSTREAMS: "a,b.example:0",
      HEADWATER_WINDOW: "24",
    };
    expect(problemsOf({ env, flags: { "apps-addr": ":7700" }, file: { "log-lvl": "x" } })).toEqual([
      "HEADWATER_DISCLOSR: no such setting: did you mean HEADWATER_DISCLOSURE?",
      "log-lvl: no such setting: did you mean log-level?",
      '--apps-addr: ":7700" is no address: write 127.0.0.1:7700',
      'HEADWATER_UPSTREAMS: "a" is no address: write host:port, such as 127.0.0.1:7700',
      "HEADWATER_UPSTREAMS: b.example:0 has no port to dial: write its real port",
      'HEADWATER_WINDOW: "24" is no duration: write its unit too, such as 24s',
    ]);
  });

  it.each([
    ["HEADWATER_PANEL_TIER", "101", '"101" is not known: write under-100 or 100-or-more'],
    ["HEADWATER_DISCLOSURE", "OFF", '"OFF" is not known: write off, exact, rounded or panel'],
    ["HEADWATER_HEALTH_WINDOW", "500ms", '"500ms" is too short: write at least 1s'],
    ["HEADWATER_WINDOW", "8d", '"8d" is too long: write at most 7d'],
    ["HEADWATER_CENSUS_WINDOW", "50d", '"50d" is too long: write at most 49d17h'],
    ["HEADWATER_NAME", "a b", /^HEADWATER_NAME: "a b" is no name: write 1 to 100 letters/],
    ["HEADWATER_MESH_ADVERTISE", "a.example", /is no address: write host:port/],
    ["HEADWATER_UPSTREAMS", "https://a.example:1", /without a scheme/],
    ["HEADWATER_UPSTREAMS", "[fe80::1%eth0]:7701", /has a zone.*write an address without one$/],
    ["HEADWATER_MESH_ADDR", "[fe80::1%eth0]:7701", /has a zone.*write an address without one$/],
    ["HEADWATER_MESH_ADVERTISE", "[fe80::1%eth0]:7701", /has a zone/],
    ["HEADWATER_ADMIN_ADDR", "::1:7702", /in brackets, such as \[::1\]:7700$/],
    ["HEADWATER_APPS_ADDR", "127.0.0.1:70000", /port 70000 is too high: write 0 to 65535$/],
    [
      "HEADWATER_APPS_CORS_ORIGINS",
      "https://a.example/",
      /is no origin: write https:\/\/a\.example, or \* for every one$/,
    ],
    ["HEADWATER_APPS_CORS_ORIGINS", "a.example", /is no origin: write https:\/\/app\.example\.org/],
    ["HEADWATER_LOG_LEVEL", "loud", '"loud" is not known: write debug, info, warn or error'],
  ])("%s=%s says what to write", (variable, text, sentence) => {
    const problems = problemsOf({ env: { [variable]: text } });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(sentence);
  });

  it.each([
    "HEADWATER_DATA_DIR",
    "HEADWATER_JOIN_FILE",
    "HEADWATER_TLS_CA_FILE",
    "HEADWATER_TRUST_FILE",
    "HEADWATER_SITE_SECRET_FILE",
  ])("tell of white space that no name of a file in %s would show", (variable) => {
    for (const path of ["/data\r", "/data ", " /data", "\t"])
      expect(problemsOf({ env: { [variable]: path } })).toEqual([
        `${variable}: ${JSON.stringify(path)} begins or ends with white space: write it without`,
      ]);
    expect(problemsOf({ env: { [variable]: "/a folder/data" } })).toEqual([]);
  });

  it("never repeat the password of a NATS address", () => {
    const problems = problemsOf({
      env: { HEADWATER_NATS_URL: "http://user:hunter2@nats.example" },
    });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain("nats://host:4222");
    expect(problems[0]).not.toContain("hunter2");
  });

  it("tell of a certificate without its key, and of a key without its certificate", () => {
    expect(problemsOf({ env: { HEADWATER_TLS_CERT_FILE: "a" } })).toEqual([
      "HEADWATER_TLS_KEY_FILE: missing: set it to the key of HEADWATER_TLS_CERT_FILE",
    ]);
    expect(problemsOf({ env: { HEADWATER_TLS_KEY_FILE: "a" } })).toEqual([
      "HEADWATER_TLS_CERT_FILE: missing: set it to the certificate of HEADWATER_TLS_KEY_FILE",
    ]);
  });

  it("tell of an address that join tokens could not name", () => {
    const env = { HEADWATER_MESH_ADDR: "0.0.0.0:7701" };
    expect(problemsOf({ env })[0]).toMatch(/^HEADWATER_MESH_ADVERTISE: missing: nobody can dial/);
    expect(problemsOf({ env: { ...env, HEADWATER_MESH_ADVERTISE: "a.example:7701" } })).toEqual([]);
  });

  it.each([
    ["127.0.0.1:7701", 1],
    ["0.0.0.0:7701", 1],
    ["127.0.0.2:7701", 0],
    ["127.0.0.1:0", 0],
  ])("tell when apps at %s would listen where the mesh does", (address, count) => {
    expect(problemsOf({ env: { HEADWATER_APPS_ADDR: address } })).toHaveLength(count);
  });
});

describe("the declarations", () => {
  const options = [appOptions, nodeOptions, operatorOptions].flatMap((one) =>
    Object.values<Option<unknown>>(one),
  );

  it.each(options)("$variable has an example, and a default, that it takes", (option) => {
    expect(option.schema.safeParse(option.example).success).toBe(true);
    if (option.default !== undefined) {
      expect(option.schema.safeParse(option.default).success).toBe(true);
    }
    expect(option.default ?? option.otherwise).toBeDefined();
  });

  it("are known to a node whoever they are for", () => {
    const env = Object.fromEntries(options.map(({ variable, example }) => [variable, example]));
    expect(problemsOf({ env: { ...env, HEADWATER_APPS_ADDR: "127.0.0.1:7700" } })).toEqual([]);
  });
});
