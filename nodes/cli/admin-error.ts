import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { nodeOptions } from "../config/node-options.ts";
import { readSettings, type Texts } from "../config/settings.ts";
import { HeadwaterError } from "../error.ts";
import { certificateError } from "./certificate-error.ts";

/** Which node was asked, and by whom. */
interface Asked {
  readonly url: string;
  readonly env: Texts;
}

const adminAddress =
  "Set HEADWATER_ADMIN_URL to the address that `headwater node` printed as admin";

/** Whatever a call has thrown, with what to do about it. */
export function adminError(thrown: unknown, of: Asked): HeadwaterError {
  const error = HeadwaterError.from(thrown);
  const { cause, message, hint } = error;
  if (!(cause instanceof ConnectError)) return error;
  const strange = certificateError(cause, of.url) ?? strangerError(cause, of.url);
  if (strange !== undefined) return strange;
  if (error.kind === "unreachable")
    return new HeadwaterError({
      kind: error.kind,
      message: `cannot reach the node at ${of.url}: ${unreachedReason(cause)}`,
      hint: hint ?? "Start one with `headwater node`, or set HEADWATER_ADMIN_URL to one that runs.",
      cause,
    });
  if (error.kind === "unauthenticated")
    return new HeadwaterError({
      kind: error.kind,
      message: `the node at ${of.url} wants its admin token: ${message}`,
      hint: hint ?? tokenHint(of.env),
      cause,
    });
  return error;
}

/** Where the node of this machine keeps its token. */
export function tokenFile(env: Texts): string {
  const { values } = readSettings({ dataDir: nodeOptions.dataDir }, { env });
  return join(values.dataDir ?? "", "admin.token");
}

function tokenHint(env: Texts): string {
  return `Set HEADWATER_ADMIN_TOKEN to what the node keeps in its ${tokenFile(env)}.`;
}

/** Something has answered, or hung up, as no node does. */
function strangerError(cause: ConnectError, url: string): HeadwaterError | undefined {
  const stranger = strangerOf(cause, url);
  if (stranger === undefined) return undefined;
  const { message, hint = `${adminAddress}.` } = stranger;
  return new HeadwaterError({ kind: "unreachable", message, hint, cause });
}

function strangerOf(
  cause: ConnectError,
  url: string,
): { message: string; hint?: string } | undefined {
  const code = systemCodeOf(cause);
  if (cause.code === Code.Unimplemented)
    return { message: `what listens at ${url} is no admin port of this version` };
  if (/^(HTTP \d|unsupported content type)/.test(cause.rawMessage))
    return {
      message: `what listens at ${url} does not answer as a node does: ${cause.rawMessage}`,
      hint: `${adminAddress}; a proxy between here and there has to let everything through.`,
    };
  if (code === "EPROTO" || code.startsWith("ERR_SSL_"))
    return {
      message: `what listens at ${url} does not speak TLS`,
      hint: "Write http:// in HEADWATER_ADMIN_URL, unless the node has a certificate of its own.",
    };
  // As the port for nodes does.
  if (code === "ECONNRESET")
    return {
      message: `what listens at ${url} has ended the connection without an answer`,
      hint: `${adminAddress}; if it is that, see the node's log.`,
    };
  return undefined;
}

/** The system's code, where there is one, stays beside our words: it is what is searched for. */
function unreachedReason(cause: ConnectError): string {
  const code = systemCodeOf(cause);
  const words = unreachedReasons.get(code);
  return words === undefined ? cause.rawMessage : `${words} (${code})`;
}

const unreachedReasons: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "nothing listens there"],
  ["ENOTFOUND", "there is no such host name"],
  ["EAI_AGAIN", "the host name can not be looked up now"],
  ["EHOSTUNREACH", "there is no way to that machine"],
  ["ENETUNREACH", "there is no way to that machine"],
  ["ETIMEDOUT", "that machine does not answer"],
]);

function systemCodeOf({ cause }: ConnectError): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : "";
}
