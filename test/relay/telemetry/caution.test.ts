import { expect, test } from "vitest";
import { cautionsOf } from "../../../relay/telemetry/caution.ts";
import type { DisclosureLevel } from "../../../relay/telemetry/disclosure/level.ts";
import { epochMs } from "../authority.ts";
import { weightsDocument } from "./fixture.ts";
import { Site } from "./site.ts";

function cautions(level: DisclosureLevel, of: { instances?: number; children?: number }): string {
  const site = new Site();
  for (let n = 0; n < (of.instances ?? 0); n++) site.report({ instance: `${n}` });
  for (let n = 0; n < (of.children ?? 0); n++) site.receive(`child-${n}`, weightsDocument({}));
  return cautionsOf(level, "horizon", site.telemetry.fleet(site.project, epochMs)).join("; ");
}

test("an operator is told what a level can not hide here", () => {
  expect(cautions("ROUNDED", { instances: 500 })).toMatch(/rounded does not hide/);
  expect(cautions("PANEL", { instances: 99 })).toMatch(/99 instances report here/);
  expect(cautions("PANEL", { children: 19 })).toMatch(
    /19 children report here; with fewer than 20/,
  );
  expect(cautions("ROUNDED", { children: 1 })).toMatch(/can not hide how many/);
});

test("and nothing where it hides, or is not meant to", () => {
  for (const [level, of] of [
    ["PANEL", { instances: 100 }],
    ["PANEL", { children: 20 }],
    ["MODAL", { instances: 3 }],
    ["EXACT", { instances: 3, children: 3 }],
    ["OFF", { instances: 3 }],
  ] as const)
    expect(cautions(level, of)).toBe("");
});
