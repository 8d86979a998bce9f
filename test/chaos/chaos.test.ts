import { expect, test } from "vitest";
import { installNatsServer } from "../../scripts/nats-server.mjs";
import { siteRounds } from "./site-rounds.ts";
import { writingRounds } from "./writing-rounds.ts";

const minutesMax = 3;

test("a writer that is killed, and apps that go to a node that is behind, break no promise", async (context) => {
  const { reason } = installNatsServer();
  if (reason !== undefined && !process.env["CI"]) context.skip(`no nats-server: ${reason}`);
  const deadlineMs = performance.now() + minutesMax * 60_000;
  const bounds = { rounds: 1, seed: 2, deadlineMs };
  const onRound = (): void => {};
  const [writing, site] = await Promise.all([
    writingRounds({ bounds: { ...bounds, fault: "kill -9 the writer" }, onRound }),
    siteRounds({ bounds: { ...bounds, fault: "lags" }, appsCount: 9, window: "4s", onRound }),
  ]);
  for (const { broken, rounds } of [writing, site])
    expect({ broken, rounds }).toEqual({ broken: [], rounds: 1 });
}, 400_000);
