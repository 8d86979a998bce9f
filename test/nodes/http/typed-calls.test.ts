import { expect, onTestFinished, test } from "vitest";
import { FlagService } from "../../../gen/headwater/v1/apps_pb.ts";
import { connectHandler } from "../../../nodes/http/connect.ts";
import { openLocal } from "./local-listener.ts";
import { LogLines } from "./log-lines.ts";

async function serve(): Promise<{ url: string }> {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const handler = connectHandler({
    routes: [(router) => router.service(FlagService, {})],
    log: new LogLines(),
    readBytesMax: 1_000,
    shutdown: stop.signal,
  });
  const { address } = await openLocal({ handler });
  return { url: `http://${address}` };
}

test.each([
  [
    "Evaluate",
    {},
    415,
    '"application/x-www-form-urlencoded" is not for this call; application/json',
  ],
  [
    "Watch",
    { "content-type": "application/json" },
    415,
    '"application/json" is not for this call; application/connect+json',
  ],
])(
  "who types a call of %s in a wrong format is told which is right",
  async (of, type, status, says) => {
    const { url } = await serve();
    const headers = { "content-type": "application/x-www-form-urlencoded", ...type };
    const asked = { method: "POST", headers, body: "{}" };
    const response = await fetch(`${url}/headwater.v1.FlagService/${of}`, asked);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({
      code: "invalid_argument",
      message: expect.stringContaining(says),
    });
  },
);

test("who gets what is to be posted is told so", async () => {
  const { url } = await serve();
  const response = await fetch(`${url}/headwater.v1.FlagService/Watch`);
  expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
  expect(await response.json()).toMatchObject({ message: "GET is not for this path; POST is" });
});
