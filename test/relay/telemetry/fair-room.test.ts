import { expect, test } from "vitest";
import { FairRoom } from "../../../relay/telemetry/fair-room.ts";
import { growth } from "../growth.ts";

/** Two hundred have so many each, and nothing more fits. */
function fullRoom(ofEach: number): FairRoom {
  const room = new FairRoom(200 * ofEach * 10);
  for (let owner = 0; owner < 200; owner++)
    for (let n = 0; n < ofEach; n++)
      room.put({ owner: `o-${owner}`, key: `${owner} ${n}`, bytes: 10 });
  return room;
}

const late = { owner: "late", key: "late", bytes: 15 };

test("in a full room it takes no time to see who makes place, however much there is", () => {
  const times = growth({ few: 10, many: 1_000 }, (ofEach) => {
    const room = fullRoom(ofEach);
    return () => {
      for (let n = 0; n < 100; n++) expect(room.makeRoom(late)).toEqual(["0 0", "1 0"]);
    };
  });
  expect(times).toBeLessThan(20);
});

test("who makes place is who has most, and of that the oldest", () => {
  const room = fullRoom(1_000);
  room.drop("o-0", "0 0");
  room.drop("o-0", "0 0");
  room.put({ owner: "late", key: "late", bytes: 10 });
  expect(room.makeRoom({ owner: "late", key: "late", bytes: 12 })).toEqual(["1 0"]);
});
