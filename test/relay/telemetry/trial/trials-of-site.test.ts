import { expect, test } from "vitest";
import { epochMs } from "../../authority.ts";
import { hourMs, projectOf, reportOf } from "../fixture.ts";
import { Site } from "../site.ts";

test("nodes of a site that have looked, one at a release alone, come to compare it with the same", () => {
  const project = projectOf({ releases: ["1.0", "2.0"] });
  const [alone, other] = [new Site({}, new Map(), project), new Site({}, new Map(), project)];
  other.report({ instance: "old", version: "1.0" });
  for (const { trials } of [alone, other]) {
    trials.take(project, reportOf({ instance: "new", version: "2.0" }), epochMs);
    trials.look(epochMs + hourMs);
  }
  const toldBy = (site: Site) => site.trials.shared.map(({ trial }) => trial.toRecord());
  const isNamed = (): boolean => true;
  const wallMs = epochMs + hourMs;
  alone.trials.heard(toldBy(other), { isNamed, wallMs });
  other.trials.heard(toldBy(alone), { isNamed, wallMs });
  const stampsOf = (site: Site) => site.trials.shared.map(({ stamp }) => stamp);
  expect(toldBy(alone).map(({ name, against }) => [name, against])).toContainEqual(["2.0", "1.0"]);
  expect(stampsOf(alone).sort(byText)).toEqual(stampsOf(other).sort(byText));
});

const byText = (one: object, two: object): number =>
  JSON.stringify(one) < JSON.stringify(two) ? -1 : 1;
