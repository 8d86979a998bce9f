import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { atExit } from "../../scripts/demo/at-exit.ts";
import { eventually } from "../../scripts/demo/eventually.ts";
import type { NodeProcess } from "../../scripts/demo/node-process.ts";
import type { BadLine } from "./bad-line.ts";
import { adminOf, project, release, startChild, startRoot, windowsOf } from "./chaos-mesh.ts";
import { Counter } from "./counter.ts";
import { Flock } from "./flock.ts";
import { type Bounds, type Fault, type Outcome, playRounds } from "./rounds.ts";
import { killed, onLine, paused } from "./site-rounds.ts";

/** Within this the child is where its parent is: two of the longest back-offs, and a dial. */
export const writingHealMsMax = 75_000;

const steppedClock = fileURLToPath(new URL("stepped-clock.ts", import.meta.url));

/** Of each kind so many in a row of faults, so that most rounds are kills at points of writing. */
const killsShare = 12;

/** A root that writes without a pause and its child, killed, stopped, on bad disks and bad lines. */
export async function writingRounds(of: {
  bounds: Bounds;
  onRound: (line: string) => void;
}): Promise<Outcome> {
  await using parts = new AsyncDisposableStack();
  const keep = <T extends AsyncDisposable>(part: T): T => parts.use(part);
  const disk = SmallDisk.mount();
  if (disk !== undefined) parts.defer(() => disk.unmount());
  const where = disk && { HEADWATER_DATA_DIR: join(disk.directory, "data") };
  const windows = { ...windowsOf("20s"), NODE_OPTIONS: `--import ${steppedClock}` };
  const { root, line } = await startRoot(keep, { ...windows, ...where });
  const child = await startChild(keep, root, windows);
  const counter = new Counter({ project, admin: () => adminOf(root) });
  await counter.begin();
  const flock = keep(await Flock.start(groupsOf([root, child]), writingHealMsMax));
  let refusedCount = 0;
  const outcome = await playRounds({
    name: "writing",
    bounds: of.bounds,
    faults: faultsOf({ root, child, line, disk }),
    onRound: of.onRound,
    faultMs: { min: 100, max: 1_500 },
    during: async (_fault, signal) => {
      // What was not acknowledged may be there or not: only the root knows.
      while (!signal.aborted)
        await counter.step().catch(async () => {
          refusedCount++;
          await sleep(20);
          await counter.settle().catch(() => {});
        });
    },
    heal: async (_fault, right) => {
      await eventually(
        "the root takes changes",
        async () => {
          await counter.settle();
          await counter.step();
          return true;
        },
        writingHealMsMax,
      );
      await flock.agree(counter.acknowledged, writingHealMsMax);
      right();
      return flock.wentBack.splice(0).map((what) => `an app went back: ${what}`);
    },
    counts: () => ({
      commits: counter.acknowledgedCount,
      notAcknowledged: refusedCount,
      numbersSeen: flock.seenCount,
    }),
  });
  return outcome;
}

function groupsOf(nodes: readonly NodeProcess[]) {
  return nodes.map((node) => ({
    project,
    version: release,
    urls: [`http://${node.apps}`],
    instances: [`${node.name}-app-1`, `${node.name}-app-2`],
  }));
}

function faultsOf(of: {
  root: NodeProcess;
  child: NodeProcess;
  line: BadLine;
  disk: SmallDisk | undefined;
}): Fault[] {
  const { root, child, line, disk } = of;
  const kills = [killed("kill -9 the writer", root), killed("kill -9 the child", child)];
  return [
    ...Array.from({ length: killsShare }, (_, n) => kills[n % 2]!),
    paused("SIGSTOP the writer", root),
    paused("SIGSTOP the child", child),
    stepped("the child's clock is a day ahead", child, "SIGUSR2"),
    stepped("the child's clock is a day behind", child, "SIGWINCH"),
    stepped("the writer's clock is a day ahead", root, "SIGUSR2"),
    stepped("the writer's clock is a day behind", root, "SIGWINCH"),
    onLine("a line that delays", line, "delay"),
    onLine("a line that is cut", line, "cut"),
    onLine("a line that stalls", line, "stall"),
    onLine("a line that halves", line, "halve"),
    onLine("a line that garbles", line, "garble"),
    { name: "a flood of connections", begin: () => line.flood(300), end: () => {} },
    ...(disk === undefined ? [] : disk.faults),
  ];
}

/** The same signal steps it back. */
function stepped(name: string, node: NodeProcess, signal: NodeJS.Signals): Fault {
  return { name, begin: () => node.signal(signal), end: () => node.signal(signal) };
}

/** A disk of a few MiB that can be filled and made read-only; only root can mount one. */
class SmallDisk {
  readonly directory: string;
  readonly #forget: () => void;

  private constructor(directory: string) {
    this.directory = directory;
    this.#forget = atExit(() => this.#release());
  }

  static mount(): SmallDisk | undefined {
    if (process.getuid?.() !== 0) return undefined;
    const directory = mkdtempSync(join(tmpdir(), "headwater-disk-"));
    const args = ["-t", "tmpfs", "-o", "size=64m,mode=0700", "tmpfs", directory];
    if (spawnSync("mount", args).status === 0) return new SmallDisk(directory);
    rmSync(directory, { recursive: true });
    return undefined;
  }

  get faults(): Fault[] {
    return [
      { name: "a full disk", begin: () => this.#fill(), end: () => this.#free() },
      {
        name: "a read-only disk",
        begin: () => this.#remount("ro"),
        end: () => this.#remount("rw"),
      },
    ];
  }

  unmount(): void {
    this.#release();
    this.#forget();
  }

  get #ballast(): string {
    return join(this.directory, "ballast");
  }

  #fill(): void {
    const { bavail, bsize } = statfsSync(this.directory);
    try {
      writeFileSync(this.#ballast, Buffer.alloc(bavail * bsize));
    } catch (error) {
      // The node has taken some of it meanwhile: what is left over is full as well.
      if (!existsSync(this.#ballast)) throw error;
    }
  }

  #free(): void {
    rmSync(this.#ballast, { force: true });
  }

  #remount(mode: "ro" | "rw"): void {
    const args = ["-o", `remount,${mode}`, this.directory];
    const { status, stderr } = spawnSync("mount", args, { encoding: "utf8" });
    if (status !== 0 && mode === "rw") throw new Error(`not writable again: ${stderr}`);
  }

  #release(): void {
    spawnSync("umount", ["--lazy", this.directory]);
    rmSync(this.directory, { recursive: true, force: true });
  }
}
