import { readFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { type ProjectPin, ProjectPinSchema } from "../gen/headwater/v1/mesh_pb.ts";
import type { NodeConfig } from "./config/config.ts";
import { parseTrustFile } from "./config/trust-file.ts";
import { HeadwaterError } from "./error.ts";
import type { NatsSecrets } from "./fanout/nats.ts";
import type { Log } from "./log.ts";
import type { Tls } from "./mesh/tls.ts";
import { backupPieces } from "./store/backup.ts";
import { readOrMakeSecret } from "./store/secret.ts";
import type { FileStore } from "./store/store.ts";

/** The secrets that a node makes for itself at its first start, and warns of when others may read them. */
export function readSecrets(
  config: NodeConfig,
  log: Log,
): { token: string; siteSecret: Uint8Array } {
  const token = readOrMakeSecret({ file: tokenFileOf(config), bytes: 32 });
  const siteSecret = readOrMakeSecret({ file: siteSecretFileOf(config), bytes: 32 });
  for (const { problem } of [token, siteSecret])
    if (problem !== undefined)
      log.write({ level: "warn", event: "secret-shared", message: problem });
  return { token: token.text, siteSecret: siteSecret.bytes };
}

export function tokenFileOf({ dataDir }: NodeConfig): string {
  return join(dataDir, "admin.token");
}

function siteSecretFileOf({ dataDir, siteSecretFile }: NodeConfig): string {
  return siteSecretFile ?? join(dataDir, "site.secret");
}

/** What a node can be started on again; its admin token is made anew. */
export function backupOf(
  config: NodeConfig,
  store: FileStore,
  atMs: number,
): ReturnType<typeof backupPieces> {
  const directory = config.dataDir;
  const files = { "site.secret": siteSecretFileOf(config) };
  return backupPieces({ store, directory, files, atMs });
}

/** The projects that an operator trusts by a file, rather than by a token. */
export function readPins(file: string | undefined): ProjectPin[] {
  if (file === undefined) return [];
  const parsed = parseTrustFile(readSetting("HEADWATER_TRUST_FILE", file));
  if ("problems" in parsed)
    throw new HeadwaterError({
      kind: "invalid",
      message: `${file}: ${parsed.problems.join("; ")}`,
    });
  return parsed.pins.map((pin) =>
    create(ProjectPinSchema, { ...pin, overlays: [...pin.overlays] }),
  );
}

/** @throws HeadwaterError `unknown`, naming the variable, when a file can not be read */
export function readTls(config: NodeConfig): Tls {
  const { tlsCertFile, tlsKeyFile, tlsCaFile } = config;
  return {
    ...(tlsCertFile !== undefined &&
      tlsKeyFile !== undefined && {
        identity: {
          certificate: readSetting("HEADWATER_TLS_CERT_FILE", tlsCertFile),
          key: readSetting("HEADWATER_TLS_KEY_FILE", tlsKeyFile),
        },
      }),
    ...(tlsCaFile !== undefined && {
      authorities: readSetting("HEADWATER_TLS_CA_FILE", tlsCaFile),
    }),
  };
}

/** Read anew at each connection, so that they can be renewed. */
export function natsSecrets({ natsCredentialsFile, natsCaFile }: NodeConfig): NatsSecrets {
  return {
    ...(natsCredentialsFile !== undefined && {
      credentials: readSetting("HEADWATER_NATS_CREDENTIALS_FILE", natsCredentialsFile),
    }),
    ...(natsCaFile !== undefined && {
      authorities: readSetting("HEADWATER_NATS_CA_FILE", natsCaFile),
    }),
  };
}

/** @throws HeadwaterError `unknown`, naming the variable, when it can not be read */
export function readSetting(variable: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HeadwaterError({
      kind: "unknown",
      message: `${variable}: ${file} can not be read: ${why}`,
      hint: `Set ${variable} to a file that this user may read.`,
      cause,
    });
  }
}
