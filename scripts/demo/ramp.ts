import { claim } from "./claim.ts";
import { typeAt } from "./operator.ts";
import { msText, say } from "./say.ts";
import { settled, type Tour } from "./tour.ts";

/** 5 %, 25 %, 100 %: the counts are what the root's ledger says, seen at each app. */
export async function ramp(tour: Tour): Promise<void> {
  const { apps, flag, mesh, project } = tour;
  say.title("A flag is ramped at the root");
  say.line("An instance is in or out by the hash of its name; raising the share only adds some.");
  let formerCount = apps.onCount(flag);
  claim(formerCount === 0, `${formerCount} instances are on at 0 %`);
  for (const percent of ["5%", "25%", "100%"]) {
    await typeAt(mesh.root, ["flag", "set", `${project}/${flag}`, percent]);
    await settled(tour, `${flag} at ${percent}`);
    const count = apps.onCount(flag);
    claim(count > formerCount, `${count} instances are on at ${percent}, no more than before`);
    say.line(`  ${count} of ${apps.instances.length} instances are on`);
    formerCount = count;
  }
  claim(formerCount === apps.instances.length, `only ${formerCount} instances are on at 100 %`);
}

export async function kill(tour: Tour): Promise<void> {
  const { admin, apps, flag, mesh, project } = tour;
  say.title("It is killed");
  say.line("A kill wins over every percentage, and travels with its reason.");
  const note = "unreadable on some sites, see #456";
  await typeAt(mesh.root, ["flag", "kill", `${project}/${flag}`, "--note", note]);
  const seenMs = await settled(tour, `the kill of ${flag}`);
  claim(apps.onCount(flag) === 0, `${apps.onCount(flag)} instances are on after the kill`);
  const { records } = await admin.ledgers.listHistory({ project, key: `flag/${flag}`, limit: 1 });
  const [committed] = records;
  claim(committed !== undefined, "the root has no record of the kill");
  const tookMs = performance.timeOrigin + seenMs - Number(committed.atMs);
  say.line(`  off at the last of ${apps.instances.length} apps ${msText(tookMs)} after the commit`);
  const explained = await typeAt(mesh.sites[0], ["explain", `${project}/${flag}`]);
  claim(explained.includes(note), `${mesh.sites[0].name} does not say why ${flag} was killed`);
  say.block(explained);
}
