import { expect, it, vi } from "vitest";
import { type NodeConfig, readConfig } from "../../nodes/config/config.ts";
import { runNode } from "../../nodes/main.ts";
import { temporaryDirectory } from "./store/temporary-directory.ts";

vi.setConfig({ testTimeout: 60_000 });

function config(): NodeConfig {
  const env = {
    HEADWATER_DATA_DIR: temporaryDirectory(),
    HEADWATER_APPS_ADDR: "127.0.0.1:0",
    HEADWATER_MESH_ADDR: "localhost:0",
    HEADWATER_ADMIN_ADDR: "127.0.0.1:0",
  };
  const outcome = readConfig({ env, flags: {}, hostName: "plant" });
  if ("problems" in outcome) throw new Error(outcome.problems.join("; "));
  return outcome.config;
}

it("does not say that it is ready once it was told to stop", async () => {
  const onReady = vi.fn<() => void>();
  const signal = AbortSignal.abort();
  await runNode({ config: config(), log: { write: () => undefined }, signal, onReady });
  expect(onReady).not.toHaveBeenCalled();
});
