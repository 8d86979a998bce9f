import { describe, expect, test } from "vitest";
import { copyWaitMs } from "../../relay/cadence.ts";
import { joinNodes } from "../sim/mesh.ts";
import { Scene, settleMs } from "./succession-scene.ts";

describe("a writer whose ledger was damaged on its disk", () => {
  /** The vendor is at 1.3, the root holds nothing that it could believe. */
  function damaged(): Scene {
    const scene = new Scene();
    const { world } = scene;
    for (const name of ["a", "b"]) expect(scene.commit("root", name)).toBe("");
    world.run(settleMs);
    world.crash("root");
    const { store } = world.get("root");
    const entry = [...store.load()].find(({ bucket }) => bucket === "entry");
    store.write([{ bucket: "entry", key: entry!.key, value: undefined }]);
    world.restart("root");
    return scene;
  }

  test("says so in its log too, holds nothing, and says what to do", () => {
    const scene = damaged();
    const { world } = scene;
    world.run(settleMs);
    expect(scene.at("root")).toBe("undefined.undefined");
    expect(world.log.filter((line) => /ledger-damaged/.test(line))).toEqual([
      expect.stringMatching(/horizon.* its entries are not what its head has signed/),
      expect.stringMatching(/horizon is written here, and nothing of it is held.*backup/),
    ]);
    expect(scene.problems("root")).toMatch(/damaged.*signed[^]*nothing of it is held.*backup/);
    expect(scene.problems("root")).not.toMatch(/its last values are served/);
    expect(scene.commit("root", "c")).toMatch(/^unavailable: .*nothing verified/);
  });

  test("signs nothing at first on top of what another node holds, which may not be the newest", () => {
    const scene = damaged();
    const { world } = scene;
    joinNodes(world, "vendor", "root");
    world.run(settleMs);
    expect(scene.at("root")).toBe("1.3");
    const waits = /runs on a copy of .*, and waits another \d+ s/;
    expect(scene.commit("root", "c")).toMatch(waits);
    // So it does where it is started anew meanwhile.
    world.crash("root");
    world.restart("root");
    expect(scene.commit("root", "c")).toMatch(waits);
    world.run(copyWaitMs + 1_000);
    expect(scene.commit("root", "c")).toBe("");
    world.run(settleMs);
    expect([scene.at("root"), scene.at("vendor")]).toEqual(["1.4", "1.4"]);
  });
});
