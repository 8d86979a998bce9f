import type { Envelope } from "../../../gen/headwater/v1/ledger_pb.ts";
import { readHead } from "../../../relay/ledger/head.ts";
import { Ledger } from "../../../relay/ledger/ledger.ts";
import { signChange } from "../../../relay/ledger/signed-change.ts";
import { isSealedBy, payloadType } from "../../../relay/trust/envelope.ts";
import type { SigningKey } from "../../../relay/trust/key.ts";
import { operatorOptions } from "../../config/operator-options.ts";
import { readSettings, type Texts } from "../../config/settings.ts";
import { HeadwaterError } from "../../error.ts";
import { readKeyFile, readSecretFile } from "../keys/key-file.ts";
import { type Recovery, readRecoveryFile } from "../keys/recovery-file.ts";
import type { LedgerView } from "./ledger-view.ts";
import type { Change } from "./plan.ts";

/** A ledger key that is not at the node: whoever has the file signs. */
export interface LedgerKey {
  readonly path: string;
  readonly key: SigningKey;
  /** Where the file is a recovery grant, all that is in it. */
  readonly recovery: Recovery | undefined;
}

/**
 * A key file, or the recovery grant of the term.
 * @throws HeadwaterError `invalid` or `forbidden`; no secret is shown
 */
export function readLedgerKey(path: string): LedgerKey {
  const isRecovery = /^ledger-seed *=/m.test(readSecretFile(path));
  const recovery = isRecovery ? readRecoveryFile(path) : undefined;
  return { path, key: recovery?.ledgerKey ?? readKeyFile(path), recovery };
}

/** The key file that the environment names. */
export function ledgerKeyFile(env: Texts): string | undefined {
  return readSettings(operatorOptions, { env }).values.ledgerKeyFile;
}

/**
 * The head that changes lead to, on top of what this key has signed before: whatever the node
 * shows, nothing is signed but that and the changes.
 * @throws HeadwaterError `forbidden` when the node shows something else
 */
export function signedHead(of: {
  view: LedgerView;
  changes: readonly Change[];
  by: LedgerKey;
  wallMs: number;
}): Envelope {
  const { view, changes, by, wallMs } = of;
  const { path, key } = by;
  const keys = [key.publicKey];
  const isOwn =
    view.head !== undefined &&
    isSealedBy({ envelope: view.head, type: payloadType.head, keys, threshold: 1 });
  if (!isOwn)
    throw new HeadwaterError({
      kind: "forbidden",
      message: `${path}: this key has not signed what the node shows of ${view.ledger.project} at ${view.position.term}.${view.position.seq}`,
      hint: "Use the key of the present term: `headwater keys show` names it. A new one begins with `headwater promote --sign-with`.",
    });
  const ledger = ledgerOf(view);
  const signer = { term: ledger.position?.term ?? 0, ledgerKey: key };
  const signed = signChange({ ...changesOf(changes), ledger, signer, wallMs });
  if (!signed.ok) throw HeadwaterError.refused(signed.refusal);
  return signed.value.head.envelope;
}

/** The first head of a new term, with the content of the one before. */
export function firstHead(of: {
  view: LedgerView;
  term: number;
  by: LedgerKey;
  wallMs: number;
}): Envelope {
  const { view, term, by, wallMs } = of;
  const signer = { term, ledgerKey: by.key };
  const signed = signChange({ ...changesOf([]), ledger: ledgerOf(view), signer, wallMs });
  if (!signed.ok) throw HeadwaterError.refused(signed.refusal);
  return signed.value.head.envelope;
}

/** Entries and tombstones, as a commit has them. */
export function changesOf(changes: readonly Change[]): {
  entries: { key: string; value: Uint8Array }[];
  tombstones: string[];
} {
  return {
    entries: changes.flatMap(({ key, after }) =>
      after === undefined ? [] : { key, value: after },
    ),
    tombstones: changes.flatMap(({ key, after }) => (after === undefined ? key : [])),
  };
}

/** @throws HeadwaterError `forbidden` when entries and head are not of one another */
function ledgerOf(view: LedgerView): Ledger {
  const ledger = new Ledger(view.ledger);
  const head = view.head && readHead(view.head, view.ledger);
  const entries = [...view.entries].map(([key, value]) => ({ key, value }));
  if (head?.ok && ledger.restore({ head: head.value, entries, steps: [] })) return ledger;
  throw new HeadwaterError({
    kind: "forbidden",
    message: `${view.ledger.project}: the entries that the node shows are not what its head has signed`,
    hint: "Nothing was signed. Look into the node; another one that holds the project can be asked.",
  });
}
