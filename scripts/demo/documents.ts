import type { GetFleetResponse } from "../../gen/headwater/v1/fleet_pb.ts";
import { claim } from "./claim.ts";
import { eventually } from "./eventually.ts";
import { typeAt } from "./operator.ts";
import { say } from "./say.ts";
import type { Tour } from "./tour.ts";

/** Two hops, each after a whole window, and a little for those that began in between. */
const upMsMax = 40_000;

/** All of something, in basis points. */
const whole = 10_000;

/** What sites and vendor have sent, and what the root makes of it. */
export async function documents(tour: Tour): Promise<void> {
  const { admin, mesh, project } = tour;
  say.title("Telemetry goes up");
  say.line("Sites and vendor disclose shares to the nearest 5 %; without that choice, nothing.");
  const arrived = eventually(
    "what the apps are has reached the root",
    async () => missing(tour, await admin.fleet.getFleet({ project })).length === 0,
    upMsMax,
  );
  await say.during("two hops, a window of 3 s for each (a day, by default)", arrived);
  for (const node of [mesh.sites[0], mesh.vendor]) {
    say.block(await typeAt(node, ["telemetry", "log", project, "--limit", "2"]));
    const sent = await node.do(["telemetry", "log", project, "--json"]);
    const named = tour.apps.instances.filter(({ id }) => sent.includes(id));
    claim(named.length === 0, `${node.name} has sent the name of ${named[0]?.id}`);
  }
  say.line("At the root: releases, health and flags. Not how many instances there are, or whose.");
  say.block(await typeAt(mesh.root, ["fleet", project]));
}

/** What the root does not know yet of what its apps are. */
function missing({ apps, flag }: Tour, { weights, health }: GetFleetResponse): string[] {
  const share = (list: "releases" | "degraded" | "flags", name: string): number =>
    weights?.[list].find((weight) => weight.name === name)?.basisPoints ?? 0;
  const releases = new Set(apps.instances.map(({ version }) => version));
  const degraded = new Set(
    apps.instances.flatMap(({ version, health }) => (health === "DEGRADED" ? version : [])),
  );
  return [
    ...[...releases].filter((release) => share("releases", release) === 0),
    ...[...degraded].filter((release) => share("degraded", release) === 0),
    ...(share("flags", flag) === 0 ? [] : [flag]),
    ...(health?.arrival?.basisPoints === whole ? [] : ["arrival"]),
  ];
}
