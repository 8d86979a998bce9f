import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  BeatSchema,
  EnvelopeSchema,
  HeadSchema,
  type Position,
  TrustSchema,
} from "../gen/headwater/v1/ledger_pb.ts";
import { HistoryRecordSchema } from "../gen/headwater/v1/ledgers_pb.ts";
import { type ProjectPin, ProjectPinSchema } from "../gen/headwater/v1/mesh_pb.ts";
import { LedgerStepSchema } from "../gen/headwater/v1/store_pb.ts";
import type { Bucket, Write } from "./effect.ts";
import { entryRecord } from "./entry-record.ts";
import type { Origin } from "./event.ts";
import { openBeat, openFormerHead, openHead, type SignedBeat } from "./ledger/head.ts";
import type { HistoryStep } from "./ledger/history.ts";
import type { Ledger, LedgerChange } from "./ledger/ledger.ts";
import type { LedgerId } from "./ledger/position.ts";
import { toHex } from "./trust/key.ts";
import { storedTrust, trustToStore } from "./trust/stored-trust.ts";
import type { Trusted } from "./trust/trusted.ts";

/** A record as the store has it. */
export interface StoredRecord {
  readonly bucket: Bucket;
  readonly key: string;
  readonly value: Uint8Array;
}

/** Records by bucket, then key. */
export type Records = ReadonlyMap<Bucket, ReadonlyMap<string, Uint8Array>>;

export function groupRecords(records: Iterable<StoredRecord>): Records {
  const groups = new Map<Bucket, Map<string, Uint8Array>>();
  for (const { bucket, key, value } of records) {
    const group = groups.get(bucket) ?? new Map<string, Uint8Array>();
    groups.set(bucket, group.set(key, value));
  }
  return groups;
}

/** All that a step of a ledger makes durable, together or not at all. */
export function changeWrites(ledger: Ledger, change: LedgerChange): Write[] {
  const { staged, head, step, stepsDropped } = change;
  const entry = (key: string, value: Uint8Array | undefined): Write => ({
    bucket: "entry",
    key: `${ledger.id} ${key}`,
    value,
  });
  return [
    ...staged.puts.map(({ key, value }) => entry(key, value)),
    ...staged.deletes.map((key) => entry(key, undefined)),
    put("head", ledger.id, toBinary(EnvelopeSchema, head.envelope)),
    ...(step === undefined
      ? []
      : [put("history", stepKey(ledger.id, step.number), encodeStep(step))]),
    ...stepsDropped.map(
      (number): Write => ({
        bucket: "history",
        key: stepKey(ledger.id, number),
        value: undefined,
      }),
    ),
  ];
}

/**
 * Deletes what a damaged ledger has left but its trust, which is replaced as it is: later entries
 * and steps would else be mixed with it.
 */
export function leftoverWrites(ledger: Ledger, records: Records): Write[] {
  return (["head", "beat", "entry", "history"] as const).flatMap((bucket) =>
    [...(records.get(bucket)?.keys() ?? [])]
      .filter((key) => key === ledger.id || key.startsWith(`${ledger.id} `))
      .map((key): Write => ({ bucket, key, value: undefined })),
  );
}

export function trustWrite(ledger: Ledger, trusted: Trusted): Write {
  return put("trust", ledger.id, toBinary(TrustSchema, trustToStore(trusted)));
}

export function pinWrite(pin: ProjectPin): Write {
  return put("pin", pin.project, toBinary(ProjectPinSchema, pin));
}

/** That an overlay was pinned while its project was served, until it has come. */
export function lateWrite(ledger: Ledger, isLate: boolean): Write {
  return { bucket: "late", key: ledger.id, value: isLate ? new Uint8Array(0) : undefined };
}

export function beatWrite(ledger: Ledger, beat: SignedBeat): Write {
  return put("beat", ledger.id, toBinary(EnvelopeSchema, beat.envelope));
}

/** One audit record for each entry that a change touches. */
export function auditWrites(of: {
  ledger: Ledger;
  change: LedgerChange;
  by: Origin;
  wallMs: number;
}): Write[] {
  const { ledger, change, by, wallMs } = of;
  const { position } = change.head;
  const { authority, project } = ledger.name;
  const common = create(HistoryRecordSchema, {
    atMs: BigInt(Math.floor(wallMs)),
    ledger: { authority, project },
    position,
    ...by,
  });
  const commonBytes = toBinary(HistoryRecordSchema, common);
  const step = `${digits(wallMs, 15)}-${digits(position.term, 10)}-${digits(position.seq, 10)}`;
  const authorityText = toHex(authority).slice(0, 16);
  const touched: { key: string; value?: Uint8Array }[] = [
    ...change.staged.puts,
    ...change.staged.deletes.map((key) => ({ key })),
  ];
  return touched.map(({ key, value: after }, index) => {
    const before = ledger.entries.get(key)?.value;
    const record = entryRecord(commonBytes, { key, before, after });
    // Several authorities may step at one moment, and no record takes the place of another.
    return put("audit", `${project}/${step}-${digits(index, 6)}-${authorityText}`, record);
  });
}

/** One audit record of what touches no entry: a new root, new grants, a new term. */
export function auditNote(of: {
  ledger: Ledger;
  position: Position | undefined;
  key: string;
  by: Origin;
  at: { readonly wallMs: number };
}): Write {
  const { ledger, position, key, by } = of;
  const { wallMs } = of.at;
  const record = create(HistoryRecordSchema, {
    atMs: BigInt(Math.floor(wallMs)),
    ledger: { authority: ledger.name.authority, project: ledger.name.project },
    key,
    ...by,
    after: new Uint8Array(0),
    ...(position && { position }),
  });
  const { term = 0, seq = 0 } = position ?? {};
  const order = `${digits(wallMs, 15)}-${digits(term, 10)}-${digits(seq, 10)}-${key}`;
  return put("audit", `${ledger.name.project}/${order}`, toBinary(HistoryRecordSchema, record));
}

/**
 * Takes up what was stored of a ledger. Damaged data is named, and nothing of it is served: the
 * ledger is then as if it had never been here, and is fetched again from an upstream or a peer. Where this
 * node writes it and has neither, its operator is told and decides: nothing is taken from children.
 */
export function restoreLedger(ledger: Ledger, records: Records): string | undefined {
  const trust = records.get("trust")?.get(ledger.id);
  const head = records.get("head")?.get(ledger.id);
  try {
    if (trust === undefined) return head === undefined ? undefined : "its trust is missing";
    const trusted = storedTrust(ledger.name, fromBinary(TrustSchema, trust));
    if (!trusted.ok) return trusted.refusal.message;
    ledger.trusted = trusted.value;
    return head === undefined ? undefined : restoreEntries(ledger, trusted.value, head, records);
  } catch {
    return "a record can not be read";
  }
}

/**
 * What was believed when it came is judged by the time it was signed at, not by today's clock. The
 * grant that it was believed for may have ended since, with its root, and another key may have the
 * term: then it still has to be signed by the key that had it.
 */
function restoreEntries(
  ledger: Ledger,
  trusted: Trusted,
  headBytes: Uint8Array,
  records: Records,
): string | undefined {
  const envelope = fromBinary(EnvelopeSchema, headBytes);
  const { issuedMs } = fromBinary(HeadSchema, envelope.payload);
  const wallMs = Number(issuedMs);
  const granted = openHead(envelope, ledger.name, { trusted, wallMs });
  const head = granted.ok ? granted : openFormerHead(envelope, ledger.name, trusted);
  if (!head.ok) return head.refusal.message;
  const entries = ofLedger(records, "entry", ledger.id).map(([key, value]) => ({ key, value }));
  const steps = ofLedger(records, "history", ledger.id).map(([, value]) => decodeStep(value));
  if (!ledger.restore({ head: head.value, entries, steps }))
    return "its entries are not what its head has signed";
  restoreBeat(ledger, trusted, records.get("beat")?.get(ledger.id));
  return undefined;
}

/** A beat that can not be read is as none: the next one is a minute away. */
function restoreBeat(ledger: Ledger, trusted: Trusted, bytes: Uint8Array | undefined): void {
  if (bytes === undefined) return;
  try {
    const envelope = fromBinary(EnvelopeSchema, bytes);
    const wallMs = Number(fromBinary(BeatSchema, envelope.payload).issuedMs);
    const beat = openBeat(envelope, { trusted, wallMs });
    if (beat.ok) ledger.beat = beat.value;
  } catch {
    return;
  }
}

function ofLedger(records: Records, bucket: Bucket, id: LedgerId): [string, Uint8Array][] {
  const prefix = `${id} `;
  return [...(records.get(bucket) ?? [])]
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value]) => [key.slice(prefix.length), value]);
}

export function put(bucket: Bucket, key: string, value: Uint8Array): Write {
  return { bucket, key, value };
}

function stepKey(id: LedgerId, number: number): string {
  return `${id} ${digits(number, 12)}`;
}

function encodeStep({ number, previous, keys }: HistoryStep): Uint8Array {
  return toBinary(
    LedgerStepSchema,
    create(LedgerStepSchema, { number, previous, keys: [...keys] }),
  );
}

function decodeStep(bytes: Uint8Array): HistoryStep {
  const { number, previous, keys } = fromBinary(LedgerStepSchema, bytes);
  if (previous === undefined) throw new Error("a step without a position");
  return { number, previous, keys };
}

/** Zeros in front, so that keys sort as numbers do. */
export function digits(value: number, width: number): string {
  return String(Math.floor(value)).padStart(width, "0");
}
