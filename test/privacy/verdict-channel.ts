import { dayMs, minuteMs } from "../../relay/cadence.ts";
import { isIn } from "../../relay/flag/bucket.ts";
import { Project } from "../../relay/layers/project.ts";
import { documentOf } from "../../relay/telemetry/document.ts";
import { Telemetry } from "../../relay/telemetry/telemetry.ts";
import { Trials } from "../../relay/telemetry/trial/trials.ts";
import { Authority, epochMs } from "../relay/authority.ts";
import { flagEntry, releaseEntries } from "../relay/layers/entries.ts";
import { reportOf } from "../relay/telemetry/fixture.ts";
import type { Look } from "./experiment.ts";

const hourMs = 60 * minuteMs;

/** Flags at a half, a quarter and so on: each is enough to be judged from twice the size on. */
const probes = Array.from({ length: 12 }, (_, n) => ({
  name: `half-${n + 1}`,
  basisPoints: Math.max(1, Math.round(10_000 / 2 ** (n + 1))),
}));

const project = new Project(
  "horizon",
  new Authority().ledger({
    ...releaseEntries("1.0"),
    ...Object.assign(
      {},
      ...probes.map(({ name, basisPoints }) => flagEntry(name, { basisPoints })),
    ),
  }),
  [],
);

/** What a parent makes of the verdicts of an hour on flags that it has made for that. */
export const verdictsOnProbes: Look = ({ size, levels, random }) => {
  const siteSecret = new Uint8Array(32).map(() => random.below(256));
  const settings = {
    siteSecret,
    windowMs: dayMs,
    healthWindowMs: hourMs,
    disclosure: "OFF",
  } as const;
  const trials = new Trials(settings, new Map());
  const telemetry = new Telemetry(settings, new Map(), trials);
  const site = random.uint32();
  for (let n = 0; n < size; n++) {
    const instance = `${site}-${n}`;
    const [on, off] = [true, false].map((active) =>
      probes.flatMap((flag) =>
        isIn({ flag: flag.name, instance, basisPoints: flag.basisPoints }) === active
          ? flag.name
          : [],
      ),
    );
    telemetry.take(project, reportOf({ instance, on: on ?? [], off: off ?? [] }), {
      wallMs: epochMs,
      isOwn: true,
    });
  }
  trials.look(epochMs + hourMs);
  return new Map(
    levels.map((level) => {
      const document = documentOf({
        fleet: telemetry.fleet(project, epochMs + hourMs),
        project: project.name,
        kind: "HEALTH",
        level,
        window: Math.floor(epochMs / hourMs),
        windowMs: hourMs,
        shown: undefined,
        siteSecret,
      });
      const said = document.health?.flags ?? [];
      const features = said.map(({ flag, judgement = 0 }) => [flag, judgement] as const);
      return [level, { features: Object.fromEntries(features), document }];
    }),
  );
};
