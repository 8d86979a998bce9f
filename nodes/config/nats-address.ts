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

/** Why a text is no such URL, and what to write instead, without the credentials in it. */
export interface NatsProblem {
  readonly problem: string;
}

const defaultPort = 4222;

/**
 * Reads `nats://host`, `tls://user:password@host:port`, `nats://token@host` or just `host:port`;
 * several of a cluster separated by commas, of which the first with credentials gives them.
 */
export function parseNatsUrl(text: string): NatsAddress | NatsProblem {
  const urls: URL[] = [];
  for (const part of text.split(",")) {
    const url = parseOne(part.trim());
    if ("problem" in url) return url;
    urls.push(url);
  }
  const credentials = credentialsOf(urls.find(({ username }) => username !== ""));
  if ("problem" in credentials) return credentials;
  return {
    servers: urls.map((url) => `${url.hostname}:${url.port || defaultPort}`),
    credentials,
    tls: urls.some(({ protocol }) => protocol === "tls:"),
  };
}

function parseOne(text: string): URL | NatsProblem {
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `nats://${text}`);
  if (url === null || url.hostname === "") return invalid("is no address of a NATS server");
  if (url.protocol !== "nats:" && url.protocol !== "tls:")
    return invalid(`starts with ${url.protocol}//, which is not spoken here`);
  return url;
}

function credentialsOf(url: URL | undefined): NatsCredentials | NatsProblem {
  if (url === undefined) return { by: "nothing" };
  const [user, password] = [decode(url.username), decode(url.password)];
  if (user === undefined || password === undefined)
    return invalid("has a % in its user or password that is not followed by two digits");
  return password === "" ? { by: "token", token: user } : { by: "password", user, password };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function invalid(problem: string): NatsProblem {
  const mend = "write nats://host:4222 or tls://user:password@host:4222";
  return { problem: `${problem}: ${mend}, several separated by commas` };
}
