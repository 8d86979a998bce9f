import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Envelope, EnvelopeSchema } from "../../gen/headwater/v1/ledger_pb.ts";
import {
  type Credential,
  CredentialSchema,
  type JoinToken,
  JoinTokenSchema,
  type ProjectPin,
} from "../../gen/headwater/v1/mesh_pb.ts";
import { isName } from "../flag/name.ts";
import { addressesCountMax, layersCountMax, projectsCountMax } from "../limits.ts";
import { quoted } from "../quoted.ts";
import { done, type Outcome, refused } from "../refusal.ts";
import { isSealedBy, payloadType, seal } from "./envelope.ts";
import { keyBytes, type SigningKey, toHex } from "./key.ts";

const prefix = "hw1.";

/** A token holds a certificate, an envelope and the pins of at most a thousand projects. */
const tokenLengthMax = 512 * 1024;

const askAgain = "Ask the parent's operator for a new one: `headwater child add NAME`.";

/** One word to paste: `hw1.` and base64url. */
export function formatToken(token: JoinToken): string {
  return prefix + Buffer.from(toBinary(JoinTokenSchema, token)).toString("base64url");
}

/** Checks form only: whose word to take is for whoever pastes it to decide. */
export function parseToken(text: string): Outcome<JoinToken> {
  const word = text.trim();
  if (word.length > tokenLengthMax) return refused("limit", "token: too long", askAgain);
  if (!word.startsWith(prefix) || !/^[\w-]+$/.test(word.slice(prefix.length)))
    return refused("invalid", `token: does not start with ${prefix} or is not whole`, askAgain);
  let token: JoinToken;
  try {
    token = fromBinary(JoinTokenSchema, Buffer.from(word.slice(prefix.length), "base64url"));
  } catch {
    return refused("invalid", "token: cut off or altered", askAgain);
  }
  const problem = tokenProblem(token);
  return problem === undefined ? done(token) : refused("invalid", `token: ${problem}`, askAgain);
}

function tokenProblem(token: JoinToken): string | undefined {
  if (!isName(token.site)) return "names no site";
  if (token.addresses.length === 0 || token.addresses.length > addressesCountMax)
    return `has ${token.addresses.length} addresses`;
  if (token.credential === undefined) return "has no credential";
  if (token.pins.length > projectsCountMax) return `names more than ${projectsCountMax} projects`;
  return token.pins.map(pinProblem).find((problem) => problem !== undefined);
}

export function pinProblem(pin: ProjectPin): string | undefined {
  if (!isName(pin.project)) return `project: ${quoted(pin.project)} is not a name`;
  const authorities = [pin.authority, ...pin.overlays];
  if (authorities.some((authority) => authority.length !== keyBytes))
    return `${pin.project}: an authority that is not 32 bytes`;
  if (new Set(authorities.map(toHex)).size !== authorities.length)
    return `${pin.project}: an authority that is named twice`;
  if (pin.overlays.length >= layersCountMax)
    return `${pin.project}: more than ${layersCountMax} layers`;
  return undefined;
}

/** What the holder of a token shows to its parent. */
export function signCredential(of: {
  child: string;
  id: Uint8Array;
  expiresMs: number;
  /** None: all that the parent serves. */
  projects?: readonly string[];
  siteKey: SigningKey;
}): Envelope {
  const credential = create(CredentialSchema, {
    child: of.child,
    id: of.id,
    expiresMs: BigInt(of.expiresMs),
    projects: [...(of.projects ?? [])],
  });
  const payload = toBinary(CredentialSchema, credential);
  return seal({ type: payloadType.credential, payload, keys: [of.siteKey] });
}

export function openCredential(
  envelope: Envelope | undefined,
  siteKey: Uint8Array,
  wallMs: number,
): Outcome<Credential> {
  const wrong = refused("forbidden", "credential: not one that this site has given out", askAgain);
  if (envelope === undefined) return wrong;
  if (!isSealedBy({ envelope, type: payloadType.credential, keys: [siteKey], threshold: 1 }))
    return wrong;
  let credential: Credential;
  try {
    credential = fromBinary(CredentialSchema, envelope.payload);
  } catch {
    return wrong;
  }
  return credentialEnd(credential, wallMs) ?? done(credential);
}

/** Undefined while it is still good. */
export function credentialEnd(
  { expiresMs }: Credential,
  wallMs: number,
): Outcome<never> | undefined {
  if (expiresMs === 0n || expiresMs > BigInt(Math.floor(wallMs))) return undefined;
  return refused("forbidden", "credential: expired", askAgain);
}

export function encodeCredential(envelope: Envelope): Uint8Array {
  return toBinary(EnvelopeSchema, envelope);
}
