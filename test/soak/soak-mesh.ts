import type { NatsProcess } from "../../scripts/demo/nats-process.ts";
import { NodeProcess } from "../../scripts/demo/node-process.ts";
import type { BadLine } from "../chaos/bad-line.ts";
import {
  adminOf,
  follows,
  join,
  type Keep,
  project,
  type SiteNode,
  startOnLine,
  startRoot,
  startSite,
  windowsOf,
} from "../chaos/chaos-mesh.ts";
import { AppsProcess } from "./apps-process.ts";
import type { Gauges } from "./gauges.ts";

/** A root, a vendor, a site of three nodes below it, another below the root, and their apps. */
export interface SoakMesh {
  readonly root: NodeProcess;
  readonly rootLine: BadLine;
  readonly vendor: NodeProcess;
  readonly vendorLine: BadLine;
  readonly nats: NatsProcess;
  /** The last one has no parent but NATS. */
  readonly site: readonly SiteNode[];
  readonly mill: NodeProcess;
  readonly apps: AppsProcess;
}

const siteNodesCount = 3;

/** Documents, trials and censuses of seconds, so that an hour sees hundreds of each. */
const window = "20s";
const censusWindow = "30s";

export async function startSoakMesh(
  keep: Keep,
  { gauges, appsCount }: { gauges: Gauges; appsCount: number },
): Promise<SoakMesh> {
  const windows = {
    ...windowsOf(window),
    HEADWATER_CENSUS_WINDOW: censusWindow,
    HEADWATER_DISCLOSURE: "exact",
    ...gauges.env(),
  };
  const { root, line: rootLine } = await startRoot(keep, windows);
  const { parent: vendor, line: vendorLine } = await startOnLine(keep, "acme", windows);
  await join(root, vendor);
  await follows(vendor);
  const { nats, nodes: site } = await startSite(keep, {
    parent: vendor,
    nodesCount: siteNodesCount,
    windows,
  });
  const mill = keep(await NodeProcess.start("mill", windows));
  await join(root, mill);
  await follows(mill);
  const enrolled = { project, enrolled: true };
  await adminOf(vendor).censuses.setEnrollment({ ...enrolled, withoutApps: true });
  for (const node of [...site.map((one) => one.node), mill])
    await adminOf(node).censuses.setEnrollment(enrolled);
  const urls = [...site.map((one) => one.node), mill].map((node) => `http://${node.apps}`);
  const apps = keep(await AppsProcess.start({ env: gauges.env(), project, urls, appsCount }));
  return { root, rootLine, vendor, vendorLine, nats, site, mill, apps };
}
