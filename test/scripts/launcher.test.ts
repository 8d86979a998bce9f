import { once } from "node:events";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { expect, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { cli } from "../../scripts/demo/node-process.ts";
import { temporaryDirectory } from "../nodes/store/temporary-directory.ts";
import { nodesOfThisMachine, run } from "../package/command.ts";
import { startScript } from "./script-run.ts";

// A service manager, or a terminal, tells all processes of a group; the launcher tells its own again.
test.for([
  ["SIGTERM", 5],
  ["SIGTERM", 25],
  ["SIGINT", 5],
  ["SIGINT", 25],
] as const)(
  "a node that is told by %s to stop, and %i ms later by its launcher again, still stops in order",
  async ([signal, laterMs]) => {
    const address = "127.0.0.1:0";
    const node = startScript([process.execPath, cli, "node"], {
      HEADWATER_DATA_DIR: join(temporaryDirectory(), "data"),
      HEADWATER_APPS_ADDR: address,
      HEADWATER_MESH_ADDR: address,
      HEADWATER_ADMIN_ADDR: address,
    });
    await eventually("it is ready", () => node.said().includes("is ready"), 60_000);
    const ended = once(node.child, "close");
    node.child.kill(signal);
    await new Promise((resolve) => setTimeout(resolve, laterMs));
    node.child.kill(signal);
    expect(await ended).toEqual([0, null]);
  },
);

const olderNodes = nodesOfThisMachine().filter(
  ([version]) => Number.parseInt(version.slice(1), 10) < 24,
);

test.each(olderNodes)(
  "on Node %s a modern one that was fetched is found without a network",
  (_, node) => {
    const dir = temporaryDirectory();
    const launcher = ["headwater.mjs", "runtime.mjs", "runtime/package.json"];
    for (const file of launcher)
      cpSync(join(import.meta.dirname, "../../scripts", file), join(dir, "scripts", file));
    mkdirSync(join(dir, "dist/nodes/cli"), { recursive: true });
    writeFileSync(join(dir, "package.json"), JSON.stringify({ type: "module" }));
    writeFileSync(join(dir, "dist/nodes/cli/main.js"), "console.log(process.version)");
    // npm asks the registry for what it has, if only for what is new, unless it is told not to.
    const npm = `#!/bin/sh\ncase "$*" in *' --offline '*) echo '${process.execPath}' ;; *) exit 1 ;; esac\n`;
    writeFileSync(join(dir, "npm"), npm, { mode: 0o755 });
    const settings = { PATH: `${dir}:/usr/bin:/bin`, XDG_CACHE_HOME: dir };
    const args = [join(dir, "scripts/headwater.mjs")];
    expect(run({ command: node, args, settings })).toBe(`${process.version}\n`);
  },
);
