import { expect, test } from "vitest";
import { Project } from "../../../../relay/layers/project.ts";
import { Authority, epochMs } from "../../authority.ts";
import { flagEntry, releaseEntries } from "../../layers/entries.ts";
import { hourMs } from "../fixture.ts";
import { Site } from "../site.ts";

test("what began while a clock was ahead is judged soon after that is right again", () => {
  const entries = {
    ...releaseEntries("1.0", "2.0"),
    ...flagEntry("wide", { basisPoints: 5000 }),
  };
  const site = new Site({}, new Map(), new Project("horizon", new Authority().ledger(entries), []));
  const aheadMs = epochMs + 1_000 * hourMs;
  site.report({ instance: "old-0" }, aheadMs);
  site.report({ instance: "new-0", version: "2.0", on: ["wide"] }, aheadMs);
  for (let n = 0; n < 60; n++) {
    const health = n < 20 ? "FAILED" : "OK";
    site.report({ instance: `new-${n}`, version: "2.0", on: ["wide"], health });
  }
  for (let n = 0; n < 100; n++) site.report({ instance: `old-${n}`, off: ["wide"] });
  const news = site.look(epochMs + 1.1 * hourMs);
  expect(news.map(({ name, verdict }) => `${name} ${verdict}`).sort()).toEqual([
    "2.0 BAD",
    "wide BAD",
  ]);
});
