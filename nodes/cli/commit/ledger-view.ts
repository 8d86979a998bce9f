import type { Flag } from "../../../gen/headwater/v1/flag_pb.ts";
import type { Envelope, LedgerName, Position } from "../../../gen/headwater/v1/ledger_pb.ts";
import type { GetLedgerResponse } from "../../../gen/headwater/v1/ledgers_pb.ts";
import { splitEntryKey } from "../../../relay/ledger/entry.ts";
import { HeadwaterError } from "../../error.ts";
import type { AdminClient } from "../admin-client.ts";
import { readAlias, readFlag } from "./ledger-entry.ts";

/** A ledger as a command found it. */
export interface LedgerView {
  readonly ledger: LedgerName;
  /** What a commit expects, so that nobody's change is lost. */
  readonly position: Position;
  readonly freshness: string;
  readonly writable: boolean;
  /** Whether its heads are signed away from the node that serves it. */
  readonly signedElsewhere: boolean;
  /** What a next head is signed on top of; a node of an older version does not say. */
  readonly head: Envelope | undefined;
  readonly entries: ReadonlyMap<string, Uint8Array>;
}

/**
 * The project's own ledger, or that of an authority.
 * @throws what `adminError` explains
 */
export async function readLedger(
  admin: AdminClient,
  project: string,
  authority: Uint8Array = new Uint8Array(0),
): Promise<LedgerView> {
  return viewOf(await admin.ledgers.getLedger({ project, authority }));
}

/** Names of one kind of entry, in order. */
export function namesOf(view: LedgerView, kind: string): string[] {
  const parts = [...view.entries.keys()].map(splitEntryKey);
  return parts.flatMap((part) => (part.kind === kind ? part.name : [])).toSorted();
}

/** Flags in order of name; undefined for those that this version can not read. */
export function flagsOf(view: LedgerView): ReadonlyMap<string, Flag | undefined> {
  return new Map(namesOf(view, "flag").map((name) => [name, flagNamed(view, name)]));
}

/** A flag; undefined when there is none or this version can not read it. */
function flagNamed(view: LedgerView, name: string): Flag | undefined {
  const value = view.entries.get(`flag/${name}`);
  return value === undefined ? undefined : readFlag(value);
}

/** The release that each alias stands for, in order of alias. */
export function aliasesOf(view: LedgerView): ReadonlyMap<string, string> {
  return new Map(
    namesOf(view, "alias").map((name) => [
      name,
      readAlias(view.entries.get(`alias/${name}`) ?? new Uint8Array(0)) ?? "",
    ]),
  );
}

export function positionText(position: Pick<Position, "term" | "seq"> | undefined): string {
  return position === undefined ? "none" : `${position.term}.${position.seq}`;
}

function viewOf(response: GetLedgerResponse): LedgerView {
  const { ledger, position, entries, writable, signedElsewhere, freshness, head } = response;
  if (ledger === undefined || position === undefined)
    throw new HeadwaterError({
      kind: "unavailable",
      message: "the node holds nothing verified of this project yet",
      hint: "`headwater status` shows its upstreams and what they serve.",
    });
  const values = new Map(entries.map(({ key, value }) => [key, value]));
  return { ledger, position, freshness, writable, signedElsewhere, head, entries: values };
}
