import { create } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { BeatKeySchema, LedgerKeySchema } from "../../../gen/headwater/v1/ledger_pb.ts";
import { type Bundle, type Power, rotateBundle, signBundle } from "../../../relay/trust/bundle.ts";
import { bytesEqual } from "../../../relay/trust/key.ts";

import { HeadwaterError } from "../../error.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { countOption } from "../number-option.ts";
import { formatJson } from "../output.ts";
import {
  formatPublicKey,
  keyFileText,
  newKey,
  parsePublicKey,
  readKeyFile,
  writeSecretFile,
} from "./key-file.ts";
import { type Recovery, readRecoveryFile } from "./recovery-file.ts";
import { printBundle, readBundle, readKeyFiles, valueOf } from "./trust-bundle.ts";

interface RotateOptions extends CommonOptions {
  readonly trust: string;
  readonly rootKey: readonly string[];
  readonly newKey?: readonly string[];
  readonly generate?: string;
  readonly threshold?: number;
  readonly without?: readonly string[];
  readonly recovery?: readonly string[];
}

interface GenerateOptions extends CommonOptions {
  readonly ledger?: boolean;
}

export function addKeysRotateCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "rotate",
    summary: "make the next root, signed by the old keys and the new; works without a node",
    details:
      "A grant ends with its root, so all that are in force are signed again. To revoke one, " +
      "rotate --without it. Give the recovery grants that lie in a drawer, too: their keys are " +
      "granted again in the bundle, and the files stay good; those not given end with the old " +
      "root. Without new keys the keys stay.",
    examples: [
      "headwater keys rotate --trust horizon.trust --root-key old.key --generate new.key > new.trust",
      "headwater keys rotate --trust horizon.trust --root-key old.key --without 1a2b3c4d --recovery horizon.term-2.grant > new.trust",
    ],
  })
    .requiredOption("--trust <FILE>", "the bundle, as `headwater keys export` wrote it")
    .requiredOption("--root-key <FILE...>", "secret root keys that sign, old and new")
    .option(
      "--new-key <KEY...>",
      "keys of the new root: secret files, or ed25519:… for those elsewhere",
    )
    .option("--generate <FILE>", "make a new root key, and keep it in this file")
    .option("--threshold <N>", "how many keys sign from now on; else as before", countOption)
    .option("--without <GRANT...>", "end these grants; `headwater keys show` names them")
    .option("--recovery <FILE...>", "recovery grants whose keys are granted again")
    .action(
      answer(context, async (options: RotateOptions) => {
        const bundle = readBundle(options.trust);
        const signing = readKeyFiles(options.rootKey);
        const added = (options.newKey ?? []).map((text) =>
          text.startsWith("ed25519:") ? text : readKeyFile(text),
        );
        const made = options.generate === undefined ? undefined : newKey();
        const recoveries = (options.recovery ?? []).map((path) => recoveryFor(bundle, path));
        const secret = [...added.filter((key) => typeof key !== "string"), ...(made ? [made] : [])];
        const rotated = valueOf(
          rotateBundle({
            bundle,
            keys: [
              ...added.map((key) =>
                typeof key === "string" ? parsePublicKey(key, "--new-key") : key.publicKey,
              ),
              ...(made ? [made.publicKey] : []),
            ],
            threshold: options.threshold,
            without: options.without ?? [],
            more: recoveries.flatMap(powersOf),
            wallMs: context.terminal.wallMs(),
          }),
        );
        const signed = valueOf(signBundle(rotated, [...signing, ...secret]));
        if (made !== undefined && options.generate !== undefined)
          writeSecretFile(options.generate, keyFileText(made, `a root key of ${bundle.project}`));
        printBundle(context, { bundle: signed, json: options.json });
        return exitCode.done;
      }),
    );
}

export function addKeysSignCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "sign",
    summary: "add signatures to a bundle that lacks some; works without a node",
    details: "For root keys that are on several machines: carry the bundle from one to the next.",
    examples: ["headwater keys sign --trust new.trust --root-key second.key > signed.trust"],
  })
    .requiredOption("--trust <FILE>", "the bundle")
    .requiredOption("--root-key <FILE...>", "secret root keys that sign")
    .action(
      answer(context, async ({ trust, rootKey, json }: RotateOptions) => {
        const bundle = valueOf(signBundle(readBundle(trust), readKeyFiles(rootKey)));
        printBundle(context, { bundle, json });
        return exitCode.done;
      }),
    );
}

export function addKeysGenerateCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "generate",
    summary: "make a key in a file, and print its public half; works without a node",
    details:
      "A root key, for a root with keys on several machines: each makes its own, and the secret " +
      "stays. Or with --ledger the key that signs a project's changes where its node is not to.",
    examples: [
      "headwater keys generate second.key",
      "headwater keys generate horizon.ledger.key --ledger",
    ],
  })
    .argument("<FILE>", "a new file, for its owner's eyes")
    .option("--ledger", "a ledger key, for `headwater init --sign-with`")
    .action(
      answer(context, async (path: string, { json, ledger }: GenerateOptions) => {
        const key = newKey();
        writeSecretFile(path, keyFileText(key, ledger ? "a ledger key" : "a root key"));
        const publicKey = formatPublicKey(key.publicKey);
        context.terminal.print(json ? formatJson({ path, publicKey }) : publicKey);
        return exitCode.done;
      }),
    );
}

/** What lets a recovery's keys write and beat. */
export function powersOf({ term, ledgerKey, beatKey }: Recovery): Power[] {
  return [
    {
      case: "ledgerKey",
      value: create(LedgerKeySchema, { term, key: ledgerKey.publicKey }),
    },
    { case: "beatKey", value: create(BeatKeySchema, { key: beatKey.publicKey }) },
  ];
}

function recoveryFor(bundle: Bundle, path: string): Recovery {
  const recovery = readRecoveryFile(path);
  if (bytesEqual(recovery.authority, bundle.authority)) return recovery;
  throw new HeadwaterError({
    kind: "invalid",
    message: `${path}: it is of another authority than the bundle, project ${recovery.project}`,
    hint: `Give those of ${bundle.project}.`,
  });
}
