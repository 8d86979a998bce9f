import { describe, expect, test } from "vitest";
import { appRequestBytesMax } from "../../../../relay/limits.ts";
import { flagAt } from "../../fake-access.ts";
import { nodeWith } from "../flagd/flagd-node.ts";
import { type OpenedApps, openTestApps } from "../open-apps.ts";

const context = { targetingKey: "i-1" };
const metadata = { flagSetId: "horizon", project: "horizon", sequence: 1, freshness: "FRESH" };

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly etag: string | null;
}

async function post(
  { url }: OpenedApps,
  path: string,
  of: { body?: string | object; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { body = { context }, headers = {} } = of;
  const response = await fetch(`${url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return {
    status: response.status,
    body: text === "" ? undefined : JSON.parse(text),
    etag: response.headers.get("etag"),
  };
}

const flagsPath = "/ofrep/v1/evaluate/flags";
const node = () => openTestApps(nodeWith({ full: 10_000, half: 5_000, none: 0 }));
const two = () =>
  openTestApps(nodeWith({ path: 10_000 }, { project: "acme" }, nodeWith({ path: 0 })));

describe("one flag", () => {
  test("is answered with value, variant, reason and metadata", async () => {
    const apps = await node();
    expect(await post(apps, `${flagsPath}/none`)).toMatchObject({
      status: 200,
      body: {
        key: "none",
        value: false,
        variant: "off",
        reason: "STATIC",
        metadata: { ...metadata, why: "OFF" },
      },
    });
    const { body } = await post(apps, `${flagsPath}/half`);
    expect(body).toMatchObject({ value: true, variant: "on", reason: "TARGETING_MATCH" });
  });

  test.each(["nowhere", "a%20b", "x".repeat(5_000), "a/b/c"])(
    "that is not there, %j, is not found",
    async (flag) => {
      expect(await post(await node(), `${flagsPath}/${flag}`)).toMatchObject({
        status: 404,
        body: { errorCode: "FLAG_NOT_FOUND" },
      });
    },
  );

  test.each([
    ["/ofrep/v1/evaluate/flags/acme%2Fpath", true],
    ["/ofrep/v1/evaluate/flags/horizon/path", false],
    ["/acme/ofrep/v1/evaluate/flags/path", true],
    ["/horizon/ofrep/v1/evaluate/flags/path", false],
  ])("of one project among several is named by its path: %s", async (path, value) => {
    expect((await post(await two(), path)).body).toMatchObject({ value });
  });

  test("of one project among several is named by the header", async () => {
    const apps = await two();
    const headers = { "Flagd-Selector": "flagSetId=acme" };
    expect((await post(apps, `${flagsPath}/path`, { headers })).body).toMatchObject({
      value: true,
    });
    const { status, body } = await post(apps, `${flagsPath}/path`);
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining("horizon, acme")]);
    expect((await post(apps, `/nowhere${flagsPath}/path`)).status).toBe(404);
  });
});

describe("all flags", () => {
  test("come with where to hear of changes", async () => {
    const { status, body } = await post(await node(), flagsPath);
    expect(status).toBe(200);
    const { flags, eventStreams } = body as { flags: { key: string }[]; eventStreams: unknown };
    expect(flags.map(({ key }) => key).sort()).toEqual(["full", "half", "none"]);
    expect(body).toMatchObject({ metadata });
    expect(eventStreams).toEqual([
      { type: "sse", endpoint: { requestUri: "/horizon/ofrep/v1/events?state=1.1+FRESH" } },
    ]);
  });

  test("are not sent again to who has them, by a tag over flags and context", async () => {
    const releases = { "2.3.0": { half: 0 } };
    const access = nodeWith({ half: 5_000 }, { releases });
    const apps = await openTestApps(access);
    const { etag } = await post(apps, flagsPath);
    const ask = async (fields: object, headers = {}) =>
      (
        await post(apps, flagsPath, {
          body: { context: fields },
          headers: { "if-none-match": etag ?? "", ...headers },
        })
      ).status;
    expect(await ask(context)).toBe(304);
    expect(await ask({ ...context, colour: "of no consequence" })).toBe(304);
    expect(await ask(context, { "if-none-match": `W/${etag}, "other"` })).toBe(304);
    expect(await ask({ targetingKey: "i-2" })).toBe(200);
    expect(await ask({ ...context, version: "2.3.0" })).toBe(200);
    expect(await ask(context, { "Flagd-Selector": "version=2.3.0" })).toBe(200);
    access.set("horizon", "", flagAt("half", 5_001));
    expect(await ask(context)).toBe(200);
  });

  test("and one cannot be had of a project of which nothing is verified", async () => {
    const apps = await openTestApps(nodeWith({ path: 10_000 }, { freshness: "EMPTY" }));
    expect(await post(apps, flagsPath)).toMatchObject({
      status: 503,
      body: { errorCode: "PROVIDER_NOT_READY" },
    });
    expect((await post(apps, `${flagsPath}/path`)).status).toBe(404);
  });
});

describe("a request", () => {
  test.each([
    ["", 200],
    ["{}", 200],
    ["[]", 200],
    ['{"context":null}', 200],
    ['{"context":"i-1"}', 200],
    ['{"context":{"targetingKey":null}}', 200],
    ["{", 400],
    ["\u0000", 400],
  ])("with the body %j is answered as flagd does", async (body, status) => {
    const apps = await node();
    for (const path of [flagsPath, `${flagsPath}/full`]) {
      const answer = await post(apps, path, { body });
      expect(answer.status).toBe(status);
      if (status === 400) expect(answer.body).toMatchObject({ errorCode: "INVALID_CONTEXT" });
    }
  });

  test("past the bound is refused before it is read, and the next one is answered", async () => {
    const apps = await node();
    const body = { context: { ...context, more: "x".repeat(2 * appRequestBytesMax) } };
    expect((await post(apps, flagsPath, { body })).status).toBe(413);
    expect((await post(apps, flagsPath)).status).toBe(200);
  });

  test("with a selector that makes no sense is refused", async () => {
    const headers = { "Flagd-Selector": "size=12" };
    const answer = await post(await node(), flagsPath, { headers });
    expect(answer).toMatchObject({ status: 400, body: { errorCode: "GENERAL" } });
  });

  test("by another method says which one is meant", async () => {
    const { url } = await node();
    const response = await fetch(`${url}${flagsPath}`);
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
  });

  test.each([
    "/ofrep/v2/evaluate/flags",
    "/a/b/ofrep/v1/events",
    "/ofrep/v1",
    "/%ff/ofrep/v1/events",
  ])("to %s is nobody's", async (path) => {
    expect((await post(await node(), path)).status).toBe(404);
  });
});
