import { copyFileSync } from "node:fs";
import { join as joinPath } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { ReleaseSchema } from "../../gen/headwater/v1/flag_pb.ts";
import { type AdminClient, openAdminClient } from "../../nodes/cli/admin-client.ts";
import { entryKey } from "../../relay/ledger/entry.ts";
import { eventually } from "../../scripts/demo/eventually.ts";
import { freePorts } from "../../scripts/demo/free-ports.ts";
import { NatsProcess } from "../../scripts/demo/nats-process.ts";
import { NodeProcess } from "../../scripts/demo/node-process.ts";
import { BadLine } from "./bad-line.ts";

export const project = "horizon";
export const release = "2.3.0";

/** Documents and reports of seconds instead of hours, so that there is something to count. */
export type Windows = Readonly<Record<"HEADWATER_WINDOW" | "HEADWATER_HEALTH_WINDOW", string>>;

export function windowsOf(window: string): Windows {
  return { HEADWATER_WINDOW: window, HEADWATER_HEALTH_WINDOW: window };
}

const settleMsMax = 120_000;

/** A parent, with a line to it that can be bad. */
export interface ParentOnLine {
  readonly parent: NodeProcess;
  readonly line: BadLine;
}

/** One node of a site, and its own line to the NATS that it shares with the others. */
export interface SiteNode {
  readonly node: NodeProcess;
  readonly natsLine: BadLine;
}

/** Opens something, and closes it with the rest. */
export type Keep = <T extends AsyncDisposable>(part: T) => T;

/** A root with the project; `env` may put its data somewhere else. */
export async function startRoot(
  keep: Keep,
  env: Readonly<Record<string, string>>,
): Promise<{ root: NodeProcess; line: BadLine }> {
  const { parent: root, line } = await startOnLine(keep, "upstream", env);
  await root.do(["init", project]);
  const value = toBinary(ReleaseSchema, create(ReleaseSchema, { name: release }));
  const entries = [{ key: entryKey("release", release), value }];
  await adminOf(root).ledgers.commit({ ledger: { project }, entries });
  return { root, line };
}

/** A node whose children come to it by the line. */
export async function startOnLine(
  keep: Keep,
  name: string,
  env: Readonly<Record<string, string>>,
): Promise<ParentOnLine> {
  const [port = 0] = await freePorts(1);
  const of = { HEADWATER_MESH_ADVERTISE: `127.0.0.1:${port}`, ...env };
  const parent = keep(await NodeProcess.start(name, of));
  const line = keep(await BadLine.open({ port, toPort: portOf(parent.mesh) }));
  return { parent, line };
}

/** A node that has joined the root, and follows it. */
export async function startChild(
  keep: Keep,
  parent: NodeProcess,
  windows: Windows,
): Promise<NodeProcess> {
  const child = keep(await NodeProcess.start("plant", windows));
  await join(parent, child);
  await follows(child);
  return child;
}

/** A site of several nodes, each with a line of its own to one NATS; but for the last all have joined. */
export async function startSite(
  keep: Keep,
  of: { parent: NodeProcess; nodesCount: number; windows: Windows },
): Promise<{ nats: NatsProcess; nodes: SiteNode[] }> {
  const nats = keep(await NatsProcess.start());
  const start = async (n: number, env: Record<string, string>): Promise<SiteNode> => {
    const natsLine = keep(await BadLine.open({ toPort: Number(new URL(nats.url).port) }));
    const shared = {
      ...of.windows,
      HEADWATER_SITE: "plant",
      HEADWATER_NATS_URL: `nats://127.0.0.1:${natsLine.port}`,
      HEADWATER_DISCLOSURE: "exact",
      ...env,
    };
    return { node: keep(await NodeProcess.start(`plant-${n}`, shared)), natsLine };
  };
  const first = await start(1, {});
  const secret = { HEADWATER_SITE_SECRET_FILE: secretOf(first.node) };
  const others = Array.from({ length: of.nodesCount - 1 }, (_, n) => start(n + 2, secret));
  const nodes = [first, ...(await Promise.all(others))];
  for (const { node } of nodes.slice(0, Math.max(1, of.nodesCount - 1)))
    await join(of.parent, node);
  for (const { node } of nodes) await follows(node);
  return { nats, nodes };
}

export function adminOf(node: NodeProcess): AdminClient {
  return openAdminClient(node.operatorEnv);
}

export async function join(parent: NodeProcess, child: NodeProcess): Promise<void> {
  const name = child.env["HEADWATER_SITE"] ?? child.name;
  const { token } = await adminOf(parent).nodes.addChild({ name });
  await adminOf(child).nodes.join({ token });
}

/** Each node of a site reads the secret of its own copy: the first one's may be gone one day. */
function secretOf(first: NodeProcess): string {
  const copy = joinPath(first.directory, "site.secret");
  copyFileSync(joinPath(first.dataDirectory, "site.secret"), copy);
  return copy;
}

export async function follows(node: NodeProcess): Promise<void> {
  const isFresh = async (): Promise<boolean> =>
    (await node.evaluate({ project, flag: "any" })).freshness === "FRESH";
  await eventually(`${node.name} follows`, isFresh, settleMsMax);
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}
