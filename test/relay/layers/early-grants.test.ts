import { expect, test } from "vitest";
import { Project } from "../../../relay/layers/project.ts";
import { Authority, epochMs } from "../authority.ts";
import { aliasEntry, releaseEntries } from "./entries.ts";

const vendor = new Authority({ name: "vendor" });
const site = new Authority({ name: "site" });
const upstream = new Authority();
const lenient = new Authority({
  powers: [{ case: "overlay", value: { authority: vendor.id, aliases: true } }],
});

test("apps that wait for the last layer are told what a grant says that they are", () => {
  const own = upstream.ledger(releaseEntries("1.0"));
  const last = site.emptyLedger();
  const project = new Project("horizon", own, [vendor.ledger(aliasEntry("1.0-el9", "1.0")), last]);
  const release = (): string => project.buildOf("1.0-el9", epochMs).release;
  expect([release(), project.isEmpty]).toEqual(["", true]);
  own.trusted = lenient.trusted;
  expect(release()).toBe("1.0");
  expect(project.refold(epochMs).vocabulary).toBe(true);
});
