import type { HistoryRecord } from "../../../gen/headwater/v1/ledgers_pb.ts";
import { splitEntryKey } from "../../../relay/ledger/entry.ts";
import { changeRecords } from "../commit/change-lines.ts";
import { positionText } from "../commit/ledger-view.ts";
import { type Change, changeSentence, signOf } from "../commit/plan.ts";
import { formatTime } from "../time-text.ts";

export const historyHead = ["time", "position", "", "change", "by", "with"];

/** One record of the audit for people, under `historyHead`. */
export function historyRow(record: HistoryRecord): string[] {
  const change = changeOf(record);
  return [
    formatTime(Number(record.atMs)),
    record.position === undefined ? "" : positionText(record.position),
    record.says === "" ? signOf(change) : "",
    record.says === "" ? changeSentence(change) : `${record.key}: ${record.says}`,
    record.actor,
    withWords(record),
  ];
}

/** The same for machines. */
export function historyJson(record: HistoryRecord): object {
  const { says, key, actor, token, address, commit } = record;
  const change =
    says === "" ? changeRecords([changeOf(record)])[0] : { action: "operate", key, says };
  return {
    atMs: record.atMs,
    ...(record.ledger && { project: record.ledger.project }),
    ...(record.position && { position: record.position }),
    authority: record.ledger?.authority,
    kind: splitEntryKey(key).kind,
    ...change,
    actor,
    token,
    address,
    commit,
  };
}

/** Where from, with which token, and of which commit; what came from upstream has none of them. */
function withWords({ token, address, commit }: HistoryRecord): string {
  const from = token === "" ? "" : `${token} from ${address}`;
  const short = commit.slice(0, commitDigitsShown);
  return [from, short === "" ? "" : `commit ${short}`].filter((text) => text !== "").join(", ");
}

/** As git abbreviates it in large repositories. */
const commitDigitsShown = 12;

function changeOf({ key, before, after }: HistoryRecord): Change {
  return { key, before, after };
}
