import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { cheats } from "./cheats.ts";
import { playCheat } from "./relay-cheats.ts";
import { lastSeq } from "./rogue-authority.ts";
import { Scene, startStation } from "./scene.ts";

const yearMs = 365 * 24 * 3_600_000;

let scene: Scene;

beforeAll(async () => {
  scene = await Scene.open();
});
afterAll(async () => scene?.[Symbol.asyncDispose]());

test.each(cheats.map((cheat) => [cheat.name, cheat] as const))(
  "%s: told of, shown to nobody, and no other waits for it",
  async (_, cheat) => {
    const outcome = await playCheat(scene, cheat);
    if (cheat.says !== undefined) expect(outcome.said).toMatch(cheat.says);
    expect(scene.breaches).toEqual([]);
  },
);

test("a stolen key: what it signs out of time, or twice, is refused, and a new term ends it", async () => {
  const { relay, rogue, plant } = scene;
  const app = scene.app(plant, rogue.project);
  await app.sees(rogue.newest);

  scene.listen();
  for (const frame of rogue.lie({ value: 500, wallMs: Date.now() + yearMs })) relay.send(frame);
  await scene.said(/nova: head: from the future/);
  await app.sees(rogue.newest);

  const beat = rogue.beatAt(Date.now() + yearMs);
  await scene.said(/nova: beat: from the future/, () => relay.send(beat));
  const other = rogue.lie({ value: 501, seq: rogue.seq });
  await scene.said(/nova: .*the authority has signed two histories/, () => {
    for (const frame of other) relay.send(frame);
  });
  expect(app.value).toBe(rogue.newest);

  const last = rogue.sign({ seq: lastSeq });
  for (const frame of rogue.frames()) relay.send(frame);
  await app.sees(last);
  const healed = rogue.sign({ term: 2, seq: 1 });
  for (const frame of rogue.frames()) relay.send(frame);
  await app.sees(healed);
  expect(scene.breaches).toEqual([]);
});

test("a relay that keeps roots and grants back: what is signed by who knows of them is not taken", async () => {
  const { relay, rogue, plant } = scene;
  const app = scene.app(plant, rogue.project);
  const value = rogue.sign();
  for (const frame of rogue.frames()) relay.send(frame);
  await app.sees(value);
  scene.listen();
  for (const [said, what] of [
    [{ rootVersion: 2, grantsCount: 1 }, /nova: its head knows of root 2, and none after root 1/],
    [{ rootVersion: 1, grantsCount: 9 }, /nova: its head knows of 9 grants of root 1, and 3 have/],
  ] as const)
    await scene.said(what, () => {
      for (const frame of rogue.lie({ value: 502, said })) relay.send(frame);
    });
  expect(app.value).toBe(value);
  expect(scene.breaches).toEqual([]);
});

test("a relay that leaves a layer out leaves the project empty, and is told on", async () => {
  const { relay } = scene;
  const annex = await startStation("annex");
  await using _ = annex.process;
  const overlay = new Uint8Array(32).fill(9);
  const pins = relay.pins.map((pin) =>
    pin.project === "horizon" ? { ...pin, overlays: [overlay] } : pin,
  );
  await annex.admin.nodes.join({ token: relay.tokenWith(pins) });
  await eventually(
    "the project without a layer comes",
    async () => {
      const { reason } = await annex.process.evaluate({ project: "oslo", flag: "a" });
      return reason === "ROLLOUT";
    },
    40_000,
  );
  const status = await eventually(
    "the layer is missed",
    async () => {
      const { problems } = await annex.admin.nodes.getStatus({});
      return problems.find((problem) => /overlay .*0909.* has not come/.test(problem));
    },
    40_000,
  );
  expect(status).toContain("horizon");
  const answer = await annex.process.evaluate({ project: "horizon", flag: "a" });
  expect(answer).toMatchObject({ enabled: false, freshness: "EMPTY" });
});
