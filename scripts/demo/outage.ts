import { claim } from "./claim.ts";
import { typeAt } from "./operator.ts";
import { msText, say } from "./say.ts";
import { settled, type Tour } from "./tour.ts";

/** The vendor's node goes without a word and comes back; a change made meanwhile arrives then. */
export async function vendorGone(tour: Tour): Promise<void> {
  const { apps, flag, mesh, project } = tour;
  say.title("The vendor's node is killed, with SIGKILL");
  await mesh.vendor.kill();
  await settled(tour, "what was there before the outage");
  say.line("all apps keep their flags; meanwhile there is a change at the root");
  await typeAt(mesh.root, ["flag", "revive", `${project}/${flag}`]);
  claim(apps.onCount(flag) === 0, "a change has arrived although the way is cut");
  const startedMs = performance.now();
  await say.during("starting it again", mesh.vendor.restart());
  const seenMs = await say.during("sites find it again", settled(tour, "the change that waited"));
  say.line(`started again: ${msText(seenMs - startedMs)} later every app has the change`);
}

/** The root goes, and a site starts anew without it. */
export async function rootGone(tour: Tour): Promise<void> {
  const { apps, flag, mesh, project } = tour;
  const [, site] = mesh.sites;
  say.title("The root is gone, and a site restarts meanwhile");
  const formerCount = apps.onCount(flag);
  await mesh.root.kill();
  await site.kill();
  await say.during(`starting ${site.name} again`, site.restart());
  const { enabled, reason } = await site.evaluate({ project, flag });
  claim(enabled, `${site.name} has lost ${flag} over its restart: ${reason}`);
  const count = apps.onCount(flag);
  claim(count === formerCount, `${count} instances are on, and ${formerCount} were`);
  say.line(`${site.name} serves what it had on disk, and all apps keep their flags`);
  await say.during("starting the root again", mesh.root.restart());
  await typeAt(mesh.root, ["flag", "set", `${project}/${flag}`, "50%"]);
  await say.during("all find each other again", settled(tour, "a change after the outage"));
  say.line(`the root is back: ${apps.onCount(flag)} of ${apps.instances.length} instances are on`);
}
