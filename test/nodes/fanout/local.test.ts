import { expect, test } from "vitest";
import { localFanout } from "../../../nodes/fanout/local.ts";
import { saying } from "./peer.ts";

test("a site of one talks to nobody, and can be closed", async () => {
  const fanout = localFanout();
  expect(fanout.publish(saying("a", "hello"))).toBeUndefined();
  expect(fanout.ask({ holdings: [] })).toBeUndefined();
  await expect(fanout.close()).resolves.toBeUndefined();
});
