import { X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { HeadwaterError } from "../error.ts";

/** What the operator configured, as PEM text: the contents of the `HEADWATER_TLS_*` files. */
export interface Tls {
  /** A certificate with its chain, and its key; what this node shows to parents, too. */
  readonly identity?: { readonly certificate: string; readonly key: string } | undefined;
  /** Certificate authorities: of client certificates, and of parents that no token pinned. */
  readonly authorities?: string | undefined;
}

/**
 * The certificates of a PEM file, in its order.
 * @throws HeadwaterError `invalid`, naming the variable, when there is none or one can not be read
 */
export function certificatesIn(pem: string, variable: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    if (blocks.length > 0) return blocks.map((block) => new X509Certificate(block));
  } catch (cause) {
    throw unreadable(variable, cause);
  }
  throw unreadable(variable, undefined);
}

/** From DER; throws for what is no certificate, with a message for people. */
export function pemOf(certificate: Uint8Array): string {
  try {
    return new X509Certificate(certificate).toString();
  } catch (cause) {
    throw new Error("the certificate of its token can not be read", { cause });
  }
}

/**
 * Finds out now what the first connection would otherwise.
 * @throws HeadwaterError `invalid` when key and certificate do not go together
 */
export function checkContext(context: SecureContextOptions): void {
  try {
    createSecureContext(context);
  } catch (cause) {
    throw new HeadwaterError({
      kind: "invalid",
      message: `HEADWATER_TLS_KEY_FILE: ${keyProblem(context.key, cause)}`,
      hint: "Set HEADWATER_TLS_KEY_FILE to the key of HEADWATER_TLS_CERT_FILE, PEM and not encrypted.",
      cause,
    });
  }
}

/** OpenSSL's own words are for who knows its source. */
function keyProblem(key: SecureContextOptions["key"], cause: unknown): string {
  const { code = "" } = cause as Partial<NodeJS.ErrnoException>;
  if (code === "ERR_OSSL_X509_KEY_VALUES_MISMATCH")
    return "the key is that of another certificate than HEADWATER_TLS_CERT_FILE's";
  if (typeof key === "string" && key.includes("ENCRYPTED"))
    return "the key is encrypted, and nobody is asked for its password";
  return `it does not work with the certificate of HEADWATER_TLS_CERT_FILE (OpenSSL: ${code})`;
}

function unreadable(variable: string, cause: unknown): HeadwaterError {
  return new HeadwaterError({
    kind: "invalid",
    message: `${variable}: its file holds no certificate that can be read`,
    hint: `Set ${variable} to a PEM file, which begins with "-----BEGIN CERTIFICATE-----".`,
    cause,
  });
}
