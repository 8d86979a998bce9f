import type { JSX } from "preact";
import type { HistoryRecord } from "../../../gen/headwater/v1/ledgers_pb.ts";
import { flagOf, historyLength } from "./node-view.ts";
import { Section } from "./section.tsx";
import { countText, flagText, timeText } from "./words.ts";

const shownMax = 20;

/** Who changed what at this node, newest first; what was changed in one go is one line. */
export function HistorySection({ records }: { records: readonly HistoryRecord[] }): JSX.Element {
  return (
    <Section id="history" title="History" aside="who changed what, as this node saw it">
      {records.length === 0 && <p class="empty">Nothing was changed yet.</p>}
      <ol class="history">
        {groupsOf(records)
          .slice(0, shownMax)
          .map((group) => {
            const isCut = records.length >= historyLength && group.at(-1) === records.at(-1);
            const [first] = group;
            if (first === undefined) return null;
            return (
              <li key={`${first.atMs}-${first.key}`}>
                <time class="quiet">{timeText(Number(first.atMs))}</time>
                {group.length === 1 ? (
                  <Single record={first} />
                ) : (
                  <Several group={group} isCut={isCut} />
                )}
                <span class="quiet">
                  {first.actor}
                  {first.token !== "" && ` with ${first.token}`}
                  {first.commit !== "" && `, commit ${first.commit.slice(0, 12)}`}
                </span>
              </li>
            );
          })}
      </ol>
    </Section>
  );
}

function Single({ record }: { record: HistoryRecord }): JSX.Element {
  return (
    <span>
      <span class="name">{subjectOf(record)}</span> {recordText(record)}
    </span>
  );
}

/** Of the oldest there may be more than what was asked for. */
function Several({
  group,
  isCut,
}: {
  group: readonly HistoryRecord[];
  isCut: boolean;
}): JSX.Element {
  const counts = new Map<string, number>();
  for (const { key } of group) {
    const kind = key.split("/", 1)[0] ?? "";
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return (
    <details>
      <summary>
        <span class="name">{group[0]?.ledger?.project}</span>{" "}
        {[...counts].map(([kind, count]) => countText(count, kind)).join(", ")}
        {isCut && " or more"}
      </summary>
      <ul>
        {group.map((record) => (
          <li key={record.key}>
            <Single record={record} />
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Records of one step of one ledger stand together. */
function groupsOf(records: readonly HistoryRecord[]): HistoryRecord[][] {
  const groups: HistoryRecord[][] = [];
  for (const record of records) {
    const last = groups.at(-1)?.[0];
    const isSame =
      record.says === "" &&
      last?.says === "" &&
      last.atMs === record.atMs &&
      last.ledger?.project === record.ledger?.project &&
      last.position?.seq === record.position?.seq;
    if (isSame) groups.at(-1)?.push(record);
    else groups.push([record]);
  }
  return groups;
}

function subjectOf({ ledger, key }: HistoryRecord): string {
  const name = key.replace(/^(flag|release|feature|alias)\//, "");
  return ledger === undefined ? name : `${ledger.project}/${name}`;
}

/** What a record says in words: for a flag what it became, and what it was. */
function recordText({ key, before, after, says }: HistoryRecord): string {
  if (says !== "") return says;
  if (after === undefined) return "deleted";
  if (!key.startsWith("flag/")) return before === undefined ? "added" : "changed";
  const now = flagText(flagOf(after));
  return before === undefined ? now : `${flagText(flagOf(before))} → ${now}`;
}
