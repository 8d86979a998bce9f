import { expect, test } from "vitest";
import { idleTablesMax } from "../../relay/limits.ts";
import { authority, bring, tokenOf } from "./child-node.ts";
import { releaseEntries } from "./layers/entries.ts";
import { SteppedNode } from "./stepped-node.ts";

const names = Array.from({ length: 2 * idleTablesMax }, (_, n) => `1.${n}`);

test("who watches a project before it is joined counts like who comes later, and no longer than it stays", () => {
  const node = new SteppedNode();
  const watch = (version: string, isOpened: boolean): unknown =>
    node.tell({
      kind: isOpened ? "watch-opened" : "watch-closed",
      project: "horizon",
      version,
    });
  for (const version of ["1.0", "1.0", "1.1", "1.2"]) watch(version, true);
  watch("1.2", false);
  node.ask((call) => ({ kind: "join", call, token: tokenOf() }));
  node.wait(0);
  bring(node, authority.ledger(releaseEntries(...names)));
  watch("1.0", false);
  const table = (version: string): unknown =>
    node.node.reads.table("horizon", version, node.wallMs);
  const before = ["1.0", "1.1", "1.2"].map(table);
  for (const name of names) table(name);
  const isKept = ["1.0", "1.1", "1.2"].map((version, at) => table(version) === before[at]);
  expect(isKept).toEqual([true, true, false]);
  watch("1.0", false);
  for (const name of names.slice(3)) table(name);
  expect(table("1.0") === before[0]).toBe(false);
});
