import { measureReach, type Reach } from "./scale/kill-reach.ts";
import { measureWeightError, type WeightError } from "./scale/weight-error.ts";

/** Sizes in instances; a site has a hundred of them. */
const sizes = [1_000, 10_000, 100_000, 1_000_000, 10_000_000] as const;
const instancesPerSite = 100;
const vendorsMax = 50;

/** Measures meshes of growing sizes; the exit code. */
export function runScale(instancesMax: number): number {
  const rows: string[] = [];
  for (const instances of sizes) {
    if (instances > instancesMax) continue;
    const sites = instances / instancesPerSite;
    const vendors = Math.min(vendorsMax, Math.max(1, Math.ceil(sites / 20)));
    const error = measureWeightError({ vendors, sites, instancesPerSite });
    const reach = measureReach({ vendors, sites });
    const heapMiB = process.memoryUsage().heapUsed / 2 ** 20;
    process.stdout.write(`${said(instances, reach, error, heapMiB)}\n\n`);
    rows.push(row(instances, reach, error));
  }
  process.stdout.write(`${[...header, ...rows].join("\n")}\n`);
  return 0;
}

const header = [
  "| instances | sites | vendors | kill: half, 99 %, last | kill: bytes below root, below vendors | vendor restarts: warm, cold | cold: bytes | core of one vendor: kill, warm, cold | weights off: mean, worst |",
  "|---|---|---|---|---|---|---|---|---|",
];

function row(instances: number, reach: Reach, error: WeightError): string {
  const cells = [
    instances.toLocaleString("en"),
    reach.sites.toLocaleString("en"),
    String(reach.vendors),
    [reach.killP50Ms, reach.killP99Ms, reach.killLastMs].map(ms).join(", "),
    [reach.rootBytes, reach.vendorBytes].map(size).join(", "),
    [reach.warmMs, reach.coldMs].map(seconds).join(", "),
    size(reach.coldBytes),
    [reach.killCpuMs, reach.warmCpuMs, reach.coldCpuMs].map(ms).join(", "),
    [error.meanBasisPoints, error.worstBasisPoints].map(percent).join(", "),
  ];
  return `| ${cells.join(" | ")} |`;
}

function said(instances: number, reach: Reach, error: WeightError, heapMiB: number): string {
  return [
    `${instances} instances at ${reach.sites} sites below ${reach.vendors} vendors (heap ${heapMiB.toFixed(0)} MiB)`,
    `  a kill is durable at half of the sites after ${ms(reach.killP50Ms)}, at 99 % after ${ms(reach.killP99Ms)}, at the last after ${ms(reach.killLastMs)}`,
    `  it is ${size(reach.rootBytes)} below the root and ${size(reach.vendorBytes)} below the vendors`,
    `  a vendor restarts: all its sites have everything again after ${seconds(reach.warmMs)} (${size(reach.warmBytes)}), with nothing on their disks after ${seconds(reach.coldMs)} (${size(reach.coldBytes)})`,
    `  the core of one vendor took ${ms(reach.killCpuMs)} for the kill, ${ms(reach.warmCpuMs)} and ${ms(reach.coldCpuMs)} for the restarts`,
    `  weights at the root are off by ${percent(error.meanBasisPoints)} in the mean, ${percent(error.worstBasisPoints)} at worst; weighing took ${ms(error.sitesCpuMs)} at all sites, ${ms(error.meansCpuMs)} above them`,
  ].join("\n");
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}

function seconds(valueMs: number): string {
  return `${(valueMs / 1_000).toFixed(1)} s`;
}

function size(bytes: number): string {
  if (bytes < 10_000) return `${bytes} B`;
  return bytes < 10_000_000 ? `${(bytes / 1_000).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(0)} MB`;
}

function percent(basisPoints: number): string {
  return `${(basisPoints / 100).toFixed(2)} %`;
}
