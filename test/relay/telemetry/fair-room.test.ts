import { expect, test } from "vitest";
import { FairRoom } from "../../../relay/telemetry/fair-room.ts";

test("in a full room it takes no time to see who makes place, however much there is", () => {
  const room = new FairRoom(200 * 1_000 * 10);
  for (let owner = 0; owner < 200; owner++)
    for (let n = 0; n < 1_000; n++)
      room.put({ owner: `o-${owner}`, key: `${owner} ${n}`, bytes: 10 });
  const beganMs = performance.now();
  for (let n = 0; n < 100; n++)
    expect(room.makeRoom({ owner: "late", key: "late", bytes: 15 })).toEqual(["0 0", "1 0"]);
  expect(performance.now() - beganMs).toBeLessThan(400);
  room.drop("o-0", "0 0");
  room.drop("o-0", "0 0");
  room.put({ owner: "late", key: "late", bytes: 10 });
  expect(room.makeRoom({ owner: "late", key: "late", bytes: 12 })).toEqual(["1 0"]);
});
