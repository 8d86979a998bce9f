import { readConfig } from "../../../nodes/config/config.ts";
import { parseConfigFile } from "../../../nodes/config/config-file.ts";
import { formatFingerprint } from "../../../nodes/config/fingerprint.ts";
import { nodeOptions } from "../../../nodes/config/node-options.ts";
import { flagOf } from "../../../nodes/config/option.ts";
import { parseTrustFile } from "../../../nodes/config/trust-file.ts";
import { natsAuthenticator } from "../../../nodes/fanout/nats-credentials.ts";
import { certificatesIn } from "../../../nodes/mesh/tls.ts";
import { upstream } from "../honest-mesh.ts";
import { refusedBy } from "../refusals.ts";
import { Broken, type Target, textBytes, textOf, type Verdict } from "../target.ts";
import { told } from "./flag-files.ts";

const options = Object.values(nodeOptions);
const examples = options.map(({ variable, example }) => `${variable}=${example}`);
const environmentSeeds = [
  examples.join("\n"),
  ...examples,
  "HEADWATER_NATS_URL=nats://u:p@a:4222,tls://b:4222\nHEADWATER_WINDOW=1d\nDO_NOT_TRACK=1",
];

/** A variable in each line. */
function environmentOf(text: string): Record<string, string> {
  const lines = text.split("\n").map((line) => line.split(/=(.*)/s));
  return Object.fromEntries(lines.map(([name = "", value = ""]) => [name, value]));
}

function configured(sources: Parameters<typeof readConfig>[0]): Verdict {
  const read = readConfig(sources);
  if ("problems" in read) return told(read.problems);
  for (const value of Object.values(read.config))
    if (typeof value === "number" && !(Number.isSafeInteger(value) && value >= 0))
      throw new Broken(`a setting that is ${value}`);
  return "accepted";
}

/** The environment of a node. */
export const environmentTexts: Target = {
  name: "environments",
  form: "text",
  share: 8,
  seeds: () => environmentSeeds.map(textBytes),
  open: () => (input) => configured({ env: environmentOf(textOf(input)), hostName: "host" }),
};

const config = options
  .map((option) => `${flagOf(option)} = ${JSON.stringify(option.example)}`)
  .join("\n");

/** Its configuration file, TOML. */
export const configFiles: Target = {
  name: "configuration files",
  form: "text",
  share: 10,
  seeds: () =>
    [config, 'upstreams = ["a:7701", "b:7701"]\nname = """x"""\n[deep]\na = { b = [1, 0x2] }'].map(
      textBytes,
    ),
  open: () => (input) => {
    const file = parseConfigFile(textOf(input));
    if ("problems" in file) return told(file.problems);
    return configured({ env: {}, file: file.texts, hostName: "host" });
  },
};

const fingerprint = formatFingerprint(upstream.id);

/** Whose word counts, TOML. */
export const trustFiles: Target = {
  name: "trust files",
  form: "text",
  share: 10,
  seeds: () =>
    [
      `horizon = "${fingerprint}"\n`,
      `[horizon]\nauthority = "${fingerprint}"\noverlays = ["${fingerprint}"]\n`,
    ].map(textBytes),
  open: () => (input) => {
    const read = parseTrustFile(textOf(input));
    if ("problems" in read) return told(read.problems);
    for (const { authority } of read.pins)
      if (authority.length !== 32) throw new Broken("an authority that is not 32 bytes");
    return "accepted";
  },
};

const certificate =
  "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUe\n-----END CERTIFICATE-----\n";
const credentials =
  "-----BEGIN NATS USER JWT-----\neyJ0eXAiOiJKV1QifQ.e30.x\n------END NATS USER JWT------\n\n" +
  "-----BEGIN USER NKEY SEED-----\nSUAIBDPBAUTWCWBKIO6XHQNINK5FWJW4OHLXC3HQ2KFE4PEJUA44CNHTC4\n------END USER NKEY SEED------\n";

/** Files of secrets and certificates that settings name. */
export const secretFiles: Target = {
  name: "secret files",
  form: "text",
  share: 10,
  seeds: () => [certificate, credentials, `SU${"A".repeat(56)}\n`].map(textBytes),
  open: () => (input) => {
    const text = textOf(input);
    const attempts = [
      () => certificatesIn(text, "HEADWATER_TLS_CA_FILE"),
      () => natsAuthenticator(text),
    ];
    const verdicts = attempts.map((attempt): Verdict => {
      try {
        attempt();
        return "accepted";
      } catch (thrown) {
        return refusedBy(thrown);
      }
    });
    return verdicts.includes("accepted") ? "accepted" : "refused";
  },
};
