import { expect, test } from "vitest";
import { epochMs } from "./authority.ts";
import { flagEntry } from "./layers/entries.ts";
import { rootNode } from "./stepped-node.ts";

test("the status says that nothing is kept, until something is again", () => {
  const root = rootNode();
  const problems = () => root.node.reads.status({ wallMs: epochMs, monoMs: 0 }).problems.join();
  const change = () => root.commit(flagEntry("alpha"));
  root.disk = "full";
  change();
  expect(problems()).toContain("nothing new is kept, changes are refused: the disk is full");
  root.disk = "good";
  change();
  expect(problems()).not.toContain("nothing new is kept");
});
