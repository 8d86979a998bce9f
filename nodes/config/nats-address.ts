import { HeadwaterError } from "../error.ts";

/** Where the NATS of a site is, and who we are to it. */
export interface NatsAddress {
  /** `host:port`, any of a cluster. */
  readonly servers: readonly string[];
  readonly credentials: NatsCredentials;
  /** Whether to refuse a server without TLS; one that asks for it gets it in any case. */
  readonly tls: boolean;
}

type NatsCredentials =
  | { readonly by: "nothing" }
  | { readonly by: "password"; readonly user: string; readonly password: string }
  | { readonly by: "token"; readonly token: string };

const defaultPort = 4222;

/**
 * Reads `nats://host`, `tls://user:password@host:port`, `nats://token@host` or just `host:port`;
 * several of a cluster separated by commas, of which the first with credentials gives them.
 * @throws HeadwaterError `invalid`, without the credentials
 */
export function parseNatsUrl(text: string): NatsAddress {
  const urls = text.split(",").map((part) => parseOne(part.trim()));
  const withCredentials = urls.find(({ username }) => username !== "");
  return {
    servers: urls.map((url) => `${url.hostname}:${url.port || defaultPort}`),
    credentials: credentialsOf(withCredentials),
    tls: urls.some(({ protocol }) => protocol === "tls:"),
  };
}

/** Why a text is no such URL; undefined where it is one. */
export function natsUrlProblem(text: string): string | undefined {
  try {
    parseNatsUrl(text);
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof HeadwaterError)) throw thrown;
    return `${thrown.message.replace(/^HEADWATER_NATS_URL (is )?/, "")}: ${thrown.hint}`;
  }
}

function parseOne(text: string): URL {
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `nats://${text}`);
  if (url === null || url.hostname === "") throw invalid("is not the address of a NATS server");
  if (url.protocol !== "nats:" && url.protocol !== "tls:")
    throw invalid(`starts with ${url.protocol}//, which is not spoken here`);
  return url;
}

function credentialsOf(url: URL | undefined): NatsCredentials {
  if (url === undefined) return { by: "nothing" };
  const [user, password] = [decode(url.username), decode(url.password)];
  return password === "" ? { by: "token", token: user } : { by: "password", user, password };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid("has a % in its user or password that is not followed by two digits");
  }
}

function invalid(problem: string): HeadwaterError {
  return new HeadwaterError({
    kind: "invalid",
    message: `HEADWATER_NATS_URL ${problem}`,
    hint: "write nats://host:4222 or tls://user:password@host:4222, several separated by commas",
  });
}
