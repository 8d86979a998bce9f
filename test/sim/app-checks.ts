import type { Exposure } from "../../relay/effect.ts";
import type { EffectiveFlag } from "../../relay/flag/effective-flag.ts";
import type { TableView } from "../../relay/reads/reads.ts";
import { toHex } from "../../relay/trust/key.ts";
import type { Hold } from "./checks.ts";
import { release } from "./ledger-checks.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import type { World } from "./world.ts";

interface App {
  position: string;
  flags: Map<string, EffectiveFlag>;
  hasHeard: boolean;
}

/**
 * At each node an app that watches: it takes one table, and then what has changed since, as the SDK
 * does, or the table where that is not remembered.
 */
export class AppChecks {
  readonly #world: World;
  readonly #hold: Hold;
  readonly #project: string;
  readonly #apps = new Map<string, App>();

  constructor(of: { world: World; hold: Hold; project: string }) {
    this.#world = of.world;
    this.#hold = of.hold;
    this.#project = of.project;
  }

  /** Its stream has ended with the process, and it asks for the whole. */
  started(node: SimulatedNode): void {
    this.#apps.delete(node.name);
    const table = this.#table(node);
    if (table === undefined) return;
    const { position, flags } = table;
    this.#apps.set(node.name, {
      position: toHex(position),
      flags: new Map(flags),
      hasHeard: false,
    });
  }

  exposed(node: SimulatedNode, { project, changes }: Exposure): void {
    if (project !== this.#project) return;
    const app = this.#apps.get(node.name);
    if (app === undefined) return;
    const told = changes.filter((change) => change.release === release);
    const [first] = told;
    const follows = first === undefined || toHex(first.previous) === app.position;
    this.#hold("U2", node.name, follows, "a change for apps does not follow what they have");
    const table = this.#table(node);
    if (table !== undefined) take(app, table);
    app.hasHeard = true;
  }

  stepped(node: SimulatedNode): void {
    const app = this.#apps.get(node.name);
    if (app === undefined) return this.started(node);
    if (!app.hasHeard) return;
    app.hasHeard = false;
    const table = this.#table(node);
    const isSame =
      table !== undefined &&
      toHex(table.position) === app.position &&
      table.flags.size === app.flags.size &&
      [...table.flags].every(([name, flag]) => isSameFlag(app.flags.get(name), flag));
    this.#hold("U2", node.name, isSame, "what apps were told does not come to what the node shows");
  }

  #table(node: SimulatedNode) {
    const { wallMs } = this.#world.momentOf(node);
    return node.node.reads.table(this.#project, release, wallMs);
  }
}

function take(app: App, table: TableView): void {
  const change = table.changeSince(Buffer.from(app.position, "hex"));
  if (change === undefined) app.flags = new Map(table.flags);
  for (const flag of change?.flags ?? []) app.flags.set(flag.name, flag);
  for (const name of change?.removed ?? []) app.flags.delete(name);
  app.position = toHex(table.position);
}

function isSameFlag(a: EffectiveFlag | undefined, b: EffectiveFlag): boolean {
  return a?.basisPoints === b.basisPoints && a.reason === b.reason && a.hash === b.hash;
}
