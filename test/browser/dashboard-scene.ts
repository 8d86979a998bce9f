import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../../scripts/demo/eventually.ts";
import { joinProcess, NodeProcess } from "../../scripts/demo/node-process.ts";

const flagFile = `project: horizon
flags:
  new-scheduler: { percent: 25, versions: ">=2.3.0", note: "https://example.org/horizon/1843" }
  fast-path:     { percent: 50, kill: "<2.3.5", note: "hangs before 2.3.5, see https://example.org/horizon/1911" }
  wide-path:     { rollout: [{ versions: ">=2.4.0-0", percent: 50 }, { versions: "*", percent: 5 }] }
  async-quota:   { percent: 100 }
  legacy-auth:   { percent: 0, note: "at its end of life" }
  cell-routing:  { percent: 10 }
  image-cache:   { percent: 75 }
releases: ["2.2.0", "2.3.0", "2.3.5", "2.4.0-rc.1"]
features: [keystone-v2-api]
`;

/** How many of forty instances run which release, as the fleet upgrades. */
const upgrade: readonly (readonly [string, number][])[] = [
  [["2.2.0", 40]],
  [
    ["2.2.0", 34],
    ["2.3.0", 6],
  ],
  [
    ["2.2.0", 22],
    ["2.3.0", 18],
  ],
  [
    ["2.2.0", 12],
    ["2.3.0", 22],
    ["2.3.5", 6],
  ],
  [
    ["2.2.0", 6],
    ["2.3.0", 14],
    ["2.3.5", 20],
  ],
  [
    ["2.2.0", 2],
    ["2.3.0", 6],
    ["2.3.5", 28],
    ["2.4.0-rc.1", 4],
  ],
];

/** A root and a vendor with an overlay, each a process, and apps that have upgraded meanwhile. */
export class DashboardScene implements AsyncDisposable {
  readonly root: NodeProcess;
  readonly vendor: NodeProcess;
  #isDisposed = false;

  private constructor(root: NodeProcess, vendor: NodeProcess) {
    this.root = root;
    this.vendor = vendor;
  }

  static async open(): Promise<DashboardScene> {
    const windows = { HEADWATER_WINDOW: "2s", HEADWATER_HEALTH_WINDOW: "1s" };
    const root = await NodeProcess.start("upstream", windows);
    const vendor = await NodeProcess.start("acme", windows);
    const scene = new DashboardScene(root, vendor);
    try {
      await scene.#play();
      return scene;
    } catch (thrown) {
      await scene[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  async #play(): Promise<void> {
    const { root, vendor } = this;
    await root.do(["init", "horizon"]);
    const file = join(root.directory, "horizon.yaml");
    writeFileSync(file, flagFile);
    await root.do([
      "apply",
      "-f",
      file,
      "--yes",
      "--commit",
      "9fceb02d0ae598e95dc970b74767f19372d61af8",
    ]);
    for (const percent of ["1%", "5%", "10%"])
      await root.do(["flag", "set", "horizon/new-scheduler", percent]);
    await root.do(["flag", "set", "horizon/new-scheduler", "25%"]);
    await joinProcess(root, vendor);
    await vendor.do(["telemetry", "disclose", "rounded"]);
    await eventually(
      "the vendor has the flags",
      async () =>
        (await vendor.evaluate({ project: "horizon", flag: "async-quota" })).reason === "FULL",
    );
    await vendor.do(["init", "horizon", "--overlay"]);
    await vendor.do(["overlay", "cap", "horizon/new-scheduler", "1%", "--note", "waiting for QA"]);
    for (const shares of upgrade) {
      await this.#report(shares);
      await new Promise((resolve) => setTimeout(resolve, 1_200));
    }
    void this.#goOn();
  }

  /** The last state again, as instances do that go on. */
  async #goOn(): Promise<void> {
    while (!this.#isDisposed) {
      await this.#report(upgrade.at(-1) ?? []).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 700));
    }
  }

  async #report(shares: readonly (readonly [string, number])[]): Promise<void> {
    const versions = shares.flatMap(([version, count]) => Array<string>(count).fill(version));
    const nodes = [this.root, this.vendor];
    const calls = versions.map((version, at) =>
      fetch(`http://${nodes[at % nodes.length]?.apps}/headwater.v1.TelemetryService/Report`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          project: "horizon",
          version,
          health: at % 13 === 0 && version === "2.3.0" ? "DEGRADED" : "OK",
          instance: `i-${at}`,
          flags: [
            { name: "new-scheduler", active: at % 4 === 0 },
            { name: "async-quota", active: true },
          ],
        }),
      }),
    );
    await Promise.all(calls);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    await this.vendor[Symbol.asyncDispose]();
    await this.root[Symbol.asyncDispose]();
  }
}

export function tokenOf(node: NodeProcess): string {
  return readFileSync(join(node.dataDirectory, "admin.token"), "utf8").trim();
}
