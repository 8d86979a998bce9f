import { expect, test } from "vitest";
import { installNatsServer } from "../../scripts/nats-server.mjs";
import { siteRounds } from "./site-rounds.ts";
import { writingRounds } from "./writing-rounds.ts";

const minutesMax = 3;

test("a few rounds of what goes wrong break no promise", async (context) => {
  const { reason } = installNatsServer();
  if (reason !== undefined && !process.env["CI"]) context.skip(`no nats-server: ${reason}`);
  const bounds = { rounds: 2, seed: 2, deadlineMs: performance.now() + minutesMax * 60_000 };
  const onRound = (): void => {};
  const [writing, site] = await Promise.all([
    writingRounds({ bounds, onRound }),
    siteRounds({ bounds, appsCount: 9, onRound }),
  ]);
  for (const { broken, rounds } of [writing, site])
    expect({ broken, rounds }).toEqual({ broken: [], rounds: 2 });
}, 400_000);
