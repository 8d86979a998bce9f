import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import { expect, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { cli } from "../../scripts/demo/node-process.ts";
import { temporaryDirectory } from "../nodes/store/temporary-directory.ts";
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
