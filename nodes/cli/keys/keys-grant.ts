import { create } from "@bufbuild/protobuf";
import type { Command } from "commander";
import {
  BeatKeySchema,
  LedgerKeySchema,
  OverlayAuthoritySchema,
} from "../../../gen/headwater/v1/ledger_pb.ts";
import { isName } from "../../../relay/flag/name.ts";
import { parsePercent } from "../../../relay/flag/percent.ts";
import { quoted } from "../../../relay/quoted.ts";
import {
  addGrant,
  type Bundle,
  missingSignatures,
  type Power,
  signBundle,
} from "../../../relay/trust/bundle.ts";
import { HeadwaterError } from "../../error.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { countOption, durationOption } from "../number-option.ts";
import { overlayOption } from "./held-trust.ts";
import { newKey, parsePublicKey, writeSecretFile } from "./key-file.ts";
import { powersOf } from "./keys-rotate.ts";
import { type Recovery, recoveryText } from "./recovery-file.ts";
import { printBundle, readBundle, readKeyFiles, valueOf } from "./trust-bundle.ts";

interface GrantOptions extends CommonOptions {
  readonly trust: string;
  readonly rootKey: readonly string[];
  readonly overlay?: string;
  readonly flags?: string;
  readonly pinMax?: string;
  readonly aliases?: boolean;
  readonly ledgerKey?: string;
  readonly recovery?: string;
  readonly term?: number;
  readonly follows?: number;
  readonly beatKey?: string;
  /** Milliseconds. */
  readonly expires?: number;
}

export function addKeysGrantCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "grant",
    summary: "let another key do something, signed by the root; works without a node",
    details:
      "One of: an overlay's authority may pin flags and name aliases; a ledger key may write one " +
      "term; a beat key may beat; --recovery makes the keys of a later term and keeps them in a " +
      "file. To take a grant back, rotate without it: `headwater keys rotate --without`.",
    examples: [
      "headwater keys grant --trust horizon.trust --root-key root.key --overlay sha256:… --pin-max 20% --expires 90d > new.trust",
      "headwater keys grant --trust horizon.trust --root-key root.key --recovery horizon.term-4.grant --term 4 > new.trust",
    ],
  })
    .requiredOption("--trust <FILE>", "the bundle, as `headwater keys export` wrote it")
    .requiredOption("--root-key <FILE...>", "secret root keys that sign")
    .option("--overlay <AUTHORITY>", "an overlay's authority, sha256:…")
    .option("--flags <NAMES>", "only these flags, separated by commas; else every flag")
    .option("--pin-max <PERCENT>", "it may pin flags up to this")
    .option("--aliases", "it may name aliases of releases")
    .option("--ledger-key <KEY>", "a ledger key, ed25519:…")
    .option("--recovery <FILE>", "make the keys of a later term, and keep them in this new file")
    .option("--term <N>", "the term of --ledger-key or --recovery", countOption)
    .option("--follows <N>", "the term that it may follow; else the one before", countOption)
    .option("--beat-key <KEY>", "a beat key, ed25519:…")
    .option(
      "--expires <DURATION>",
      "how long it is good for; else for the root's life",
      durationOption,
    )
    .action(
      answer(context, async (options: GrantOptions) => {
        const bundle = readBundle(options.trust);
        const { powers, recovery } = wantedPowers(bundle, options);
        const signing = readKeyFiles(options.rootKey);
        const { terminal } = context;
        const until = options.expires === undefined ? 0 : terminal.wallMs() + options.expires;
        const expiresMs = BigInt(Math.floor(until));
        const granted = powers.reduce(
          (held, power) => valueOf(addGrant(held, { power, expiresMs })),
          bundle,
        );
        const signed = valueOf(signBundle(granted, signing));
        if (recovery !== undefined && options.recovery !== undefined)
          writeSecretFile(options.recovery, recoveryText(withGrants(recovery, signed, bundle)));
        printBundle(context, { bundle: signed, json: options.json });
        return exitCode.done;
      }),
    );
}

function wantedPowers(
  bundle: Bundle,
  options: GrantOptions,
): { powers: Power[]; recovery?: Recovery } {
  const kinds = ["overlay", "ledgerKey", "recovery", "beatKey"] as const;
  const given = kinds.filter((kind) => options[kind] !== undefined);
  if (given.length !== 1)
    throw invalid(
      given.length === 0 ? "nothing to grant" : "more than one thing to grant",
      "Give one of --overlay, --ledger-key, --recovery and --beat-key.",
    );
  if (options.overlay !== undefined) return { powers: [overlayPower(options.overlay, options)] };
  if (options.beatKey !== undefined) {
    const key = parsePublicKey(options.beatKey, "--beat-key");
    return { powers: [{ case: "beatKey", value: create(BeatKeySchema, { key }) }] };
  }
  const { term, follows = 0 } = options;
  if (term === undefined) throw invalid("--term is missing", "Say which term the key may write.");
  if (follows >= term) throw invalid(`--follows ${follows} is no term before ${term}`);
  if (options.ledgerKey !== undefined) {
    const key = parsePublicKey(options.ledgerKey, "--ledger-key");
    const value = create(LedgerKeySchema, { term, key, follows });
    return { powers: [{ case: "ledgerKey", value }] };
  }
  const { project, authority } = bundle;
  const [ledgerKey, beatKey] = [newKey(), newKey()];
  const recovery = { project, authority, term, ledgerKey, beatKey, grants: [] };
  const powers = powersOf(recovery);
  for (const power of powers) if (power.case === "ledgerKey") power.value.follows = follows;
  return { powers, recovery };
}

function overlayPower(fingerprint: string, options: GrantOptions): Power {
  const authority = overlayOption(fingerprint);
  const flags = options.flags?.split(",").map((name) => name.trim()) ?? [];
  const wrong = flags.find((name) => !isName(name));
  if (wrong !== undefined) throw invalid(`--flags: ${quoted(wrong)} is no name of a flag`);
  const pinMax = parsePercent(options.pinMax ?? "0");
  if (typeof pinMax !== "number") throw invalid(`--pin-max: ${pinMax.problem}`);
  const aliases = options.aliases === true;
  if (pinMax === 0 && !aliases)
    throw invalid("--overlay allows nothing yet", "Give --pin-max, --aliases or both.");
  const value = create(OverlayAuthoritySchema, {
    authority,
    flags,
    pinBasisPointsMax: pinMax,
    aliases,
  });
  return { case: "overlay", value };
}

/** Complete grants lie with their keys, so that these do not need the bundle; others can not. */
function withGrants(recovery: Recovery, signed: Bundle, before: Bundle): Recovery {
  if (missingSignatures(signed).length > 0) return recovery;
  const grants = signed.grants.slice(before.grants.length).map(({ envelope }) => envelope);
  return { ...recovery, grants };
}

function invalid(message: string, hint?: string): HeadwaterError {
  return new HeadwaterError({ kind: "invalid", message, hint });
}
