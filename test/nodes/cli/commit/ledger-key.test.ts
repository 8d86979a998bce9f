import { expect, test } from "vitest";
import { signedHead } from "../../../../nodes/cli/commit/ledger-key.ts";
import type { LedgerView } from "../../../../nodes/cli/commit/ledger-view.ts";
import { readHead } from "../../../../relay/ledger/head.ts";
import { Ledger } from "../../../../relay/ledger/ledger.ts";
import { signChange } from "../../../../relay/ledger/signed-change.ts";
import { SigningKey } from "../../../../relay/trust/key.ts";

const key = new SigningKey(new Uint8Array(32).fill(1));
const name = { authority: new Uint8Array(32).fill(7), project: "horizon" };
const entry = { key: "feature/a", value: new Uint8Array(0) };

function shown(of: Partial<LedgerView> = {}): LedgerView {
  const signed = signChange({
    ledger: new Ledger(name),
    signer: { term: 1, ledgerKey: key },
    entries: [entry],
    tombstones: [],
    wallMs: 1_000,
  });
  if (!signed.ok) throw new Error(signed.refusal.message);
  const { position, envelope } = signed.value.head;
  const entries = new Map([[entry.key, entry.value]]);
  return { ledger: name, position, head: envelope, entries, ...of } as LedgerView;
}

const by = { path: "key", key, recovery: undefined };
const changes = [{ key: "feature/b", before: undefined, after: new Uint8Array(0) }];
const sign = (view: LedgerView) => signedHead({ view, changes, by, wallMs: 2_000 });

test("what is signed follows the head that this key has signed, whatever position a node tells", () => {
  const honest = readHead(sign(shown()), shown().ledger);
  expect(honest).toMatchObject({ ok: true, value: { position: { term: 1, seq: 2 } } });
  const view = shown();
  const lying = { ...view, position: { ...view.position, term: 9 } };
  expect(readHead(sign(lying), view.ledger)).toMatchObject({
    value: { position: { term: 1, seq: 2 } },
  });
});

test("nothing is signed on top of entries that are not the head's, or of another's head", () => {
  expect(() => sign(shown({ entries: new Map() }))).toThrow(/not what its head has signed/);
  const other = { ...by, key: new SigningKey(new Uint8Array(32).fill(2)) };
  const view = shown();
  expect(() => signedHead({ view, changes, by: other, wallMs: 2_000 })).toThrow(/has not signed/);
});
