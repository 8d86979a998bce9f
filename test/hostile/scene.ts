import { readFileSync } from "node:fs";
import { create, toBinary } from "@bufbuild/protobuf";
import { FlagSchema } from "../../gen/headwater/v1/flag_pb.ts";
import type { JoinToken } from "../../gen/headwater/v1/mesh_pb.ts";
import { type AdminClient, openAdminClient } from "../../nodes/cli/admin-client.ts";
import { parseToken } from "../../relay/trust/join-token.ts";
import { eventually } from "../../scripts/demo/eventually.ts";
import { NodeProcess } from "../../scripts/demo/node-process.ts";
import { CheatingRelay, honest } from "./cheating-relay.ts";
import { RogueAuthority } from "./rogue-authority.ts";
import { type Breach, WatchingApp } from "./watching-app.ts";

const projects = ["horizon", "oslo"] as const;
export type Project = (typeof projects)[number];

/** A node process and the connection of its operator. */
export interface Station {
  readonly process: NodeProcess;
  readonly admin: AdminClient;
}

export async function startStation(
  name: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Station> {
  const process = await NodeProcess.start(name, env);
  return { process, admin: openAdminClient(process.operatorEnv) };
}

export async function tokenFrom({ admin }: Station, child: string): Promise<JoinToken> {
  const { token } = await admin.nodes.addChild({ name: child });
  const parsed = parseToken(token);
  if (!parsed.ok) throw new Error(parsed.refusal.message);
  return parsed.value;
}

/**
 * A root with two projects; a relay that can be told to cheat, with a site below it; and an honest
 * site right below the root. Everything but the relay is a process of the real program.
 */
export class Scene implements AsyncDisposable {
  readonly root: Station;
  readonly relay: CheatingRelay;
  /** Of a third project, which only the relay serves. */
  readonly rogue: RogueAuthority;
  /** Below the relay. */
  readonly plant: Station;
  /** Below the root. */
  readonly depot: Station;
  readonly apps = new Map<string, WatchingApp>();
  readonly #newest = new Map<Project, number>(projects.map((project) => [project, 0]));
  #logMark = 0;

  private constructor(of: {
    root: Station;
    relay: CheatingRelay;
    rogue: RogueAuthority;
    plant: Station;
    depot: Station;
  }) {
    this.root = of.root;
    this.relay = of.relay;
    this.rogue = of.rogue;
    this.plant = of.plant;
    this.depot = of.depot;
    for (const station of [this.plant, this.depot])
      for (const project of projects) {
        const { name: node, apps } = station.process;
        const newest = (): number => this.newest(project);
        this.apps.set(`${node}/${project}`, new WatchingApp({ node, apps, project, newest }));
      }
    const { name: node, apps } = this.plant.process;
    const newest = (): number => this.rogue.newest;
    const { project } = this.rogue;
    this.apps.set(`${node}/${project}`, new WatchingApp({ node, apps, project, newest }));
  }

  static async open(): Promise<Scene> {
    const [root, plant, depot] = await Promise.all(
      ["upstream", "plant", "depot"].map((name) => startStation(name)),
    );
    if (root === undefined || plant === undefined || depot === undefined) throw new Error("none");
    for (const project of projects) await root.process.do(["init", project]);
    const relay = await CheatingRelay.start(await tokenFrom(root, "relay"));
    const rogue = new RogueAuthority();
    relay.own = () => rogue.frames();
    const scene = new Scene({ root, relay, rogue, plant, depot });
    await plant.admin.nodes.join({ token: relay.tokenWith([...relay.pins, rogue.pin]) });
    const { token } = await root.admin.nodes.addChild({ name: "depot" });
    await depot.admin.nodes.join({ token });
    await scene.settle();
    return scene;
  }

  newest(project: Project): number {
    return this.#newest.get(project) ?? 0;
  }

  app(station: Station, project: string): WatchingApp {
    const app = this.apps.get(`${station.process.name}/${project}`);
    if (app === undefined) throw new Error(`no app of ${project} there`);
    return app;
  }

  get breaches(): readonly Breach[] {
    return [...this.apps.values()].flatMap(({ breaches }) => breaches);
  }

  /** A change of a project, which sets both its flags to the next number. */
  async change(project: Project): Promise<number> {
    const value = this.newest(project) + 1;
    this.#newest.set(project, value);
    const entries = ["a", "b"].map((name) => ({
      key: `flag/${name}`,
      value: toBinary(FlagSchema, create(FlagSchema, { name, basisPoints: value, hash: 2 })),
    }));
    await this.root.admin.ledgers.commit({ ledger: { project }, entries, actor: "scene" });
    return value;
  }

  /** The relay is honest, and everybody has everything. */
  async settle(): Promise<void> {
    this.relay.alter = honest;
    for (const project of projects) {
      const value = await this.change(project);
      for (const station of [this.plant, this.depot]) await this.app(station, project).sees(value);
    }
  }

  /** What the node below the relay says from now on is what `said` looks at. */
  listen(): void {
    this.#logMark = this.plant.process.stderr.length;
  }

  /** The first line that matches, in its log or its status; what is to be tried meanwhile. */
  async said(pattern: RegExp, meanwhile: () => void = () => {}): Promise<string> {
    const attempt = async (): Promise<string | undefined> => {
      meanwhile();
      const { problems } = await this.plant.admin.nodes.getStatus({});
      const lines = this.plant.process.stderr.slice(this.#logMark).split("\n").map(messageOf);
      return [...lines, ...problems].find((line) => pattern.test(line));
    };
    return eventually(`the node below says ${pattern}`, attempt, 40_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const app of this.apps.values()) app[Symbol.dispose]();
    await this.relay[Symbol.asyncDispose]();
    for (const { process } of [this.plant, this.depot, this.root])
      await process[Symbol.asyncDispose]();
  }
}

/** The message of a line of the log. */
function messageOf(line: string): string {
  const match = /"msg":("(?:[^"\\]|\\.)*")/.exec(line);
  return match?.[1] === undefined ? "" : (JSON.parse(match[1]) as string);
}

/** Resident memory of a process, bytes; undefined where the system does not tell. */
export function memoryOf({ process }: Station): number | undefined {
  try {
    const text = readFileSync(`/proc/${process.pid}/status`, "utf8");
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    return undefined;
  }
}
