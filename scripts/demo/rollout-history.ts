import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseFlagFile } from "../../nodes/cli/file/flag-file.ts";
import { entryKey } from "../../relay/ledger/entry.ts";
import type { AskedFlag } from "./app-message.ts";
import type { Changes } from "./intended-flags.ts";

/** A flag as a flag file has it, or that it is gone. */
interface FlagChange {
  readonly flag: string;
  readonly removed?: true;
  readonly kill?: string | true;
}

interface HistoryFile {
  readonly source: string;
  /** Flags whose code is on where no rule says otherwise. */
  readonly onByDefault: readonly string[];
  readonly changeSets: readonly { readonly at: string; readonly changes: readonly FlagChange[] }[];
}

/** What a project has done to its flags, change set by change set. */
export interface RolloutHistory {
  readonly source: string;
  /** The days of the first and the last change set. */
  readonly span: readonly [string, string];
  readonly flags: readonly AskedFlag[];
  readonly killsCount: number;
  readonly removalsCount: number;
  readonly changeSets: readonly Changes[];
}

/** The history beside this file, as changes of a ledger of `project`. */
export function readHistory(project: string): RolloutHistory {
  const path = join(import.meta.dirname, "rollout-history.json");
  const { source, onByDefault, changeSets } = JSON.parse(readFileSync(path, "utf8")) as HistoryFile;
  const changes = changeSets.flatMap((set) => set.changes);
  const day = (at: number): string => changeSets.at(at)?.at.slice(0, 10) ?? "";
  return {
    source,
    span: [day(0), day(-1)],
    flags: [...new Set(changes.map(({ flag }) => flag))].map((name) => ({
      name,
      otherwise: onByDefault.includes(name),
    })),
    killsCount: changes.filter(({ kill }) => kill !== undefined).length,
    removalsCount: changes.filter(({ removed }) => removed === true).length,
    changeSets: changeSets.map((set) => ledgerChanges(project, set.changes)),
  };
}

function ledgerChanges(project: string, changes: readonly FlagChange[]): Changes {
  const flags = changes.flatMap(({ flag, removed, ...fields }) =>
    removed === true ? [] : [[flag, fields] as const],
  );
  const outcome = parseFlagFile({
    path: "rollout-history.json",
    text: JSON.stringify({ project, flags: Object.fromEntries(flags) }),
  });
  if ("problems" in outcome) throw new Error(outcome.problems.join("\n"));
  return {
    entries: outcome.file.entries,
    tombstones: changes.flatMap(({ flag, removed }) =>
      removed === true ? [entryKey("flag", flag)] : [],
    ),
  };
}
