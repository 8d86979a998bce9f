import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { parseToken } from "../../relay/trust/join-token.ts";
import type { NodeSettings } from "../config/node-options.ts";
import { parseTrustFile } from "../config/trust-file.ts";

/** What is wrong with the files that settings name: a sentence each, with the mend. */
export function namedFileProblems(config: Partial<NodeSettings>): string[] {
  return [
    ...problemsOf({
      variable: "HEADWATER_TRUST_FILE",
      path: config.trustFile,
      check: trustProblems,
    }),
    ...problemsOf({ variable: "HEADWATER_JOIN_FILE", path: config.joinFile, check: tokenProblems }),
    ...problemsOf({
      variable: "HEADWATER_TLS_CERT_FILE",
      path: config.tlsCertFile,
      check: certificateProblems,
    }),
    ...problemsOf({
      variable: "HEADWATER_TLS_KEY_FILE",
      path: config.tlsKeyFile,
      check: pemProblems,
    }),
    ...problemsOf({
      variable: "HEADWATER_TLS_CA_FILE",
      path: config.tlsCaFile,
      check: certificateProblems,
    }),
    ...problemsOf({
      variable: "HEADWATER_NATS_CREDENTIALS_FILE",
      path: config.natsCredentialsFile,
      check: () => [],
    }),
    ...problemsOf({
      variable: "HEADWATER_NATS_CA_FILE",
      path: config.natsCaFile,
      check: pemProblems,
    }),
    ...pairProblems(config),
  ];
}

/** A certificate and a key that are both there, and not of each other. */
function pairProblems({ tlsCertFile, tlsKeyFile }: Partial<NodeSettings>): string[] {
  const [cert, key] = [tlsCertFile, tlsKeyFile].map((path) =>
    path === undefined ? undefined : readText(path),
  );
  // Of what is absent, or nothing of the kind, is told already.
  if (cert === undefined || certificateProblems(cert).length > 0) return [];
  if (key === undefined || pemProblems(key).length > 0) return [];
  try {
    createSecureContext({ cert, key });
    return [];
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return [
      `HEADWATER_TLS_KEY_FILE: ${tlsKeyFile}: does not do with ${tlsCertFile} (${why}): set it to ` +
        "the unencrypted key of that certificate",
    ];
  }
}

function problemsOf(of: {
  variable: string;
  path: string | undefined;
  check: (text: string) => readonly string[];
}): string[] {
  if (of.path === undefined) return [];
  const text = readText(of.path);
  if (text === undefined)
    return [`${of.variable}: cannot read ${of.path}: set it to a file that this user may read`];
  return of.check(text).map((problem) => `${of.variable}: ${of.path}: ${problem}`);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Absent, a folder or not ours to read: in each case it has to be another one.
    return undefined;
  }
}

function trustProblems(toml: string): readonly string[] {
  const outcome = parseTrustFile(toml);
  return "problems" in outcome ? outcome.problems : [];
}

function tokenProblems(text: string): string[] {
  const token = parseToken(text);
  return token.ok ? [] : [`${token.refusal.message}. ${token.refusal.hint ?? ""}`];
}

function pemProblems(text: string): string[] {
  return text.includes("-----BEGIN ")
    ? []
    : ["it is not PEM: set it to a file that has a line -----BEGIN …-----"];
}

/** A start reads all of them, and refuses a file that has none. */
function certificateProblems(text: string): string[] {
  const noPem = pemProblems(text);
  if (noPem.length > 0) return noPem;
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    if (blocks.map((block) => new X509Certificate(block)).length > 0) return [];
  } catch {
    // What is damaged is none.
  }
  return ["it holds no certificate that can be read: set it to a file of certificates, PEM"];
}
