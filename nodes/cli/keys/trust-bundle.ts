import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Grant, type Trust, TrustSchema } from "../../../gen/headwater/v1/ledger_pb.ts";
import { formatPercent } from "../../../relay/flag/percent.ts";
import {
  type Bundle,
  bundleTrust,
  grantIdOf,
  missingSignatures,
  openBundle,
} from "../../../relay/trust/bundle.ts";
import type { SigningKey } from "../../../relay/trust/key.ts";
import { formatFingerprint } from "../../config/fingerprint.ts";
import { HeadwaterError } from "../../error.ts";
import type { CommandContext } from "../command.ts";
import { formatCount, formatJson } from "../output.ts";
import { formatTime } from "../time-text.ts";
import { base64url, formatPublicKey, readKeyFile, readTextFile } from "./key-file.ts";

/** A bundle as a text file that can be carried to a machine without a network. */
export function bundleText(bundle: Bundle): string {
  const { project, authority, newest } = bundle;
  const of = `${project}, authority ${formatFingerprint(authority)}, root ${newest.version}`;
  const trust = base64url(toBinary(TrustSchema, bundleTrust(bundle)));
  return `# Trust of ${of}. Nothing in it is secret.\n${trust}`;
}

/**
 * Reads what `bundleText` writes.
 * @throws HeadwaterError `invalid` or `forbidden`, with what does not check
 */
export function readBundle(path: string): Bundle {
  const lines = readTextFile(path).split("\n");
  const text = lines
    .filter((line) => !line.startsWith("#"))
    .join("")
    .trim();
  return bundleOf(decode(path, text), path);
}

/** @throws HeadwaterError `invalid` or `forbidden`, with what does not check */
export function bundleOf(trust: Trust, source: string): Bundle {
  const bundle = openBundle(trust);
  if (bundle.ok) return bundle.value;
  const { refusal } = bundle;
  throw new HeadwaterError({ ...refusal, message: `${source}: ${refusal.message}` });
}

/** @throws HeadwaterError when it was refused */
export function valueOf(outcome: ReturnType<typeof openBundle>): Bundle {
  if (outcome.ok) return outcome.value;
  throw HeadwaterError.refused(outcome.refusal);
}

/** Prints a bundle that was changed offline, and what has to happen to it next. */
export function printBundle(
  { terminal }: CommandContext,
  of: { bundle: Bundle; json: boolean | undefined },
): void {
  const { bundle } = of;
  const missing = missingSignatures(bundle);
  const { project, authority, newest } = bundle;
  if (of.json) {
    const root = newest.version;
    terminal.print(formatJson({ project, authority, root, missing, trust: bundleText(bundle) }));
    return;
  }
  terminal.print(bundleText(bundle));
  const state = `root ${newest.version} of ${project}, ${formatCount(bundle.grants.length, "grant")}`;
  if (missing.length === 0)
    terminal.note(`${state}, all signed\nnext: headwater keys import ${project} FILE`);
  else
    terminal.note(
      `${state}; not signed by all who have to:\n${missing.map((line) => `  ${line}`).join("\n")}\n` +
        "next: headwater keys sign --trust FILE --root-key FILE, where the other keys are",
    );
}

/** @throws HeadwaterError when a file is none, or others than its owner may read it */
export function readKeyFiles(paths: readonly string[]): SigningKey[] {
  return paths.map(readKeyFile);
}

/** A grant in words: `writes term 2 with ed25519:…`. */
export function grantWords({ power }: Grant): string {
  switch (power.case) {
    case "ledgerKey": {
      const { term, key, follows } = power.value;
      const after = follows === 0 ? "" : `, after term ${follows}`;
      return `writes term ${term}${after} with ${formatPublicKey(key)}`;
    }
    case "beatKey":
      return `beats with ${formatPublicKey(power.value.key)}`;
    case "overlay": {
      const { authority, flags, pinBasisPointsMax, aliases } = power.value;
      const which = flags.length === 0 ? "every flag" : flags.join(", ");
      const pins =
        pinBasisPointsMax === 0 ? [] : [`pins ${which} up to ${formatPercent(pinBasisPointsMax)}`];
      const powers = [...pins, ...(aliases ? ["names aliases"] : [])].join(", ");
      return `overlay ${formatFingerprint(authority)}: ${powers || "nothing"}`;
    }
    case undefined:
      return "something that this version does not know";
  }
}

export function grantRow({ envelope, grant }: Bundle["grants"][number], wallMs: number): string[] {
  const expiresMs = Number(grant.expiresMs);
  const ended = expiresMs !== 0 && expiresMs <= wallMs ? " (ended)" : "";
  const until = expiresMs === 0 ? "never" : `${formatTime(expiresMs)}${ended}`;
  return [grantIdOf(envelope), grantWords(grant), until];
}

function decode(path: string, text: string): Trust {
  try {
    if (!/^[\w-]+$/.test(text)) throw new Error("no base64url");
    return fromBinary(TrustSchema, new Uint8Array(Buffer.from(text, "base64url")));
  } catch (cause) {
    throw new HeadwaterError({
      kind: "invalid",
      message: `${path}: not a trust bundle, or cut off`,
      hint: "`headwater keys export PROJECT` writes one.",
      cause,
    });
  }
}
