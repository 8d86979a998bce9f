import type { Color, Terminal } from "../terminal.ts";
import { type Change, type ChangeSign, changeSentence, signOf } from "./plan.ts";

/** A line for each change: what comes, what becomes another, what goes. */
export function changeLines(changes: readonly Change[], terminal: Pick<Terminal, "paint">): string {
  return changes
    .map((change) => {
      const sign = signOf(change);
      return terminal.paint(colors[sign], `${sign} ${changeSentence(change)}`);
    })
    .join("\n");
}

/** The same for machines. */
export function changeRecords(changes: readonly Change[]): object[] {
  return changes.map((change) => ({
    action: actions[signOf(change)],
    key: change.key,
    says: changeSentence(change),
  }));
}

const colors: Readonly<Record<ChangeSign, Color>> = { "+": "green", "~": "yellow", "-": "red" };

const actions: Readonly<Record<ChangeSign, string>> = { "+": "add", "~": "change", "-": "remove" };
