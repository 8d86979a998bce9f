import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { parse, stringify } from "smol-toml";
import { z } from "zod";
import { type Envelope, EnvelopeSchema } from "../../../gen/headwater/v1/ledger_pb.ts";
import { SigningKey } from "../../../relay/trust/key.ts";
import { formatFingerprint, parseFingerprint } from "../../config/fingerprint.ts";
import { HeadwaterError } from "../../error.ts";
import { base64url, readSecretFile } from "./key-file.ts";

/** The keys of a later term, kept in a drawer for whoever goes on writing the ledger. */
export interface Recovery {
  readonly project: string;
  readonly authority: Uint8Array;
  readonly term: number;
  readonly ledgerKey: SigningKey;
  readonly beatKey: SigningKey;
  /** For both keys; none where a trust bundle brings them. */
  readonly grants: readonly Envelope[];
}

/** TOML. Beats of the new term have a key of their own, because the old one may be lost. */
export function recoveryText(recovery: Recovery): string {
  const { project, term, ledgerKey, beatKey } = recovery;
  const [ledgerGrant, beatGrant] = recovery.grants.map((grant) =>
    base64url(toBinary(EnvelopeSchema, grant)),
  );
  const fields = stringify({
    project,
    authority: formatFingerprint(recovery.authority),
    term,
    "ledger-seed": base64url(ledgerKey.seed),
    ...(ledgerGrant !== undefined && { "ledger-grant": ledgerGrant }),
    "beat-seed": base64url(beatKey.seed),
    ...(beatGrant !== undefined && { "beat-grant": beatGrant }),
  });
  return (
    `# Secret: the keys of term ${term} of ${project}, granted in advance by its root.\n` +
    "# Whoever has them can go on writing the ledger when its node is lost.\n" +
    `${fields}\n`
  );
}

/**
 * Reads what `recoveryText` writes.
 * @throws HeadwaterError `invalid` or `forbidden`; no secret is shown
 */
export function readRecoveryFile(path: string): Recovery {
  const parsed = schema.safeParse(parseToml(path, readSecretFile(path)));
  if (!parsed.success) {
    const fields = [...new Set(parsed.error.issues.map((issue) => issue.path.join(".")))];
    throw notRecovery(path, `wrong or missing: ${fields.join(", ")}`);
  }
  const { data } = parsed;
  const authority = parseFingerprint(data.authority);
  if (!(authority instanceof Uint8Array)) throw notRecovery(path, "wrong or missing: authority");
  return {
    project: data.project,
    authority,
    term: data.term,
    ledgerKey: new SigningKey(bytesOf(data["ledger-seed"])),
    beatKey: new SigningKey(bytesOf(data["beat-seed"])),
    grants: [data["ledger-grant"], data["beat-grant"]].flatMap((text) =>
      text === undefined ? [] : [envelopeOf(path, text)],
    ),
  };
}

const seed: z.ZodString = z.string().regex(/^[\w-]{43}$/);

const schema: z.ZodType<{
  project: string;
  authority: string;
  term: number;
  "ledger-seed": string;
  "beat-seed": string;
  "ledger-grant"?: string | undefined;
  "beat-grant"?: string | undefined;
}> = z.object({
  project: z.string(),
  authority: z.string(),
  term: z.int().min(1),
  "ledger-seed": seed,
  "beat-seed": seed,
  "ledger-grant": z.string().optional(),
  "beat-grant": z.string().optional(),
});

function parseToml(path: string, text: string): unknown {
  try {
    return parse(text);
  } catch {
    // What the parser says would quote the file, and so a secret.
    throw notRecovery(path, "it is not TOML");
  }
}

function envelopeOf(path: string, text: string): Envelope {
  try {
    return fromBinary(EnvelopeSchema, bytesOf(text));
  } catch {
    throw notRecovery(path, "wrong: ledger-grant or beat-grant");
  }
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64url"));
}

function notRecovery(path: string, why: string): HeadwaterError {
  return new HeadwaterError({
    kind: "invalid",
    message: `${path}: not a recovery grant: ${why}`,
    hint: "`headwater init` has made some, PROJECT.term-N.grant; `headwater keys grant` makes more.",
  });
}
