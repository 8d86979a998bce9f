import { type Authenticator, credsAuthenticator, nkeyAuthenticator } from "nats";
import { HeadwaterError } from "../error.ts";

const jwtBegin = "-----BEGIN NATS USER JWT-----";

/** A user's NKey seed: `SU` and base32 (https://docs.nats.io, "NKeys"). */
const userSeed = /^SU[A-Z2-7]{56}$/;

/**
 * Reads what NATS tools write: a credentials file (`nsc generate creds`: a JWT and the seed that
 * signs for it) or the seed of an NKey alone; lines that begin with `#` are comments.
 * @throws HeadwaterError `invalid`, without the secret
 */
export function natsAuthenticator(text: string): Authenticator {
  const lines = text.split("\n").map((line) => line.trim());
  if (text.includes(jwtBegin)) return jwtAuthenticator(lines);
  const [seed, ...more] = lines.filter((line) => line !== "" && !line.startsWith("#"));
  if (seed !== undefined && more.length === 0 && userSeed.test(seed))
    return nkeyAuthenticator(Buffer.from(seed));
  throw noCredentials();
}

/** The client takes no end of line but that of Unix, wants one after the last, and reads when it logs in. */
function jwtAuthenticator(lines: readonly string[]): Authenticator {
  const authenticator = credsAuthenticator(Buffer.from(`${lines.join("\n")}\n`));
  try {
    authenticator("");
    return authenticator;
  } catch {
    throw noCredentials();
  }
}

function noCredentials(): HeadwaterError {
  return new HeadwaterError({
    kind: "invalid",
    message: "HEADWATER_NATS_CREDENTIALS_FILE holds neither NATS credentials nor a user's NKey",
    hint: "Name a file that `nsc generate creds` wrote, or one with a seed that begins with SU.",
  });
}
