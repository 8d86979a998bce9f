import { expect, test } from "vitest";
import { idleFramesBurstMax, idleFramesPerSecondMax } from "../../../relay/limits.ts";
import { Uplink } from "../../../relay/link/uplink.ts";
import { Random } from "../../../relay/random.ts";

test("frames that come to nothing are borne so many at once, and then each second", () => {
  const absent = { certificate: undefined, credential: undefined, projects: undefined };
  const uplink = new Uplink({
    settings: { id: "up", addresses: ["a:1"], ...absent },
    nodeId: new Uint8Array(8),
    random: new Random(1),
    monoMs: 0,
  });
  const borne = (count: number, monoMs: number): number =>
    Array.from({ length: count }, () => uplink.idled(monoMs)).filter(Boolean).length;
  expect(borne(idleFramesBurstMax + 1, 0)).toBe(idleFramesBurstMax);
  expect(borne(idleFramesPerSecondMax + 1, 1_000)).toBe(idleFramesPerSecondMax);
});
