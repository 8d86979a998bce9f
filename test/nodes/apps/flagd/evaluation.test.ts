import { type Client, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import { Service as V1 } from "../../../../gen/flagd/evaluation/v1/evaluation_pb.ts";
import { Service as V2 } from "../../../../gen/flagd/evaluation/v2/evaluation_pb.ts";
import { appRequestBytesMax } from "../../../../relay/limits.ts";
import { openTestApps } from "../open-apps.ts";
import { codeOf, grpc, nodeWith } from "./flagd-node.ts";

const metadata = { flagSetId: "horizon", project: "horizon", sequence: 1, freshness: "FRESH" };
const context = { targetingKey: "i-1" };

async function clientOf(access = nodeWith({ full: 10_000, half: 5_000, none: 0 })) {
  const { url } = await openTestApps(access);
  return { url, access, v1: createClient(V1, grpc(url)), v2: createClient(V2, grpc(url)) };
}

describe.each([
  ["gRPC", grpc],
  ["gRPC-Web", (url) => createGrpcWebTransport({ baseUrl: url, httpVersion: "1.1" })],
  ["Connect", (url) => createConnectTransport({ baseUrl: url, httpVersion: "1.1" })],
] satisfies [string, (url: string) => ReturnType<typeof grpc>][])("over %s", (_, transportTo) => {
  test.each([
    ["v1", V1],
    ["v2", V2],
  ] as const)("%s answers with value, variant, reason and metadata", async (_name, service) => {
    const { url } = await openTestApps(nodeWith({ full: 10_000, half: 5_000, none: 0 }));
    const client = createClient(service, transportTo(url)) as Client<typeof V2>;
    const ask = (flagKey: string) => client.resolveBoolean({ flagKey, context });
    expect(await ask("full")).toMatchObject({
      value: true,
      variant: "on",
      reason: "STATIC",
      metadata: { ...metadata, why: "ROLLOUT" },
    });
    expect(await ask("none")).toMatchObject({ value: false, variant: "off", reason: "STATIC" });
    expect(await ask("half")).toMatchObject({ variant: "on", reason: "TARGETING_MATCH" });
  });
});

describe("a call", () => {
  test("as curl makes it", async () => {
    const { url } = await clientOf();
    const response = await fetch(`${url}/flagd.evaluation.v2.Service/ResolveBoolean`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ flagKey: "none", context }),
    });
    expect(await response.json()).toEqual({
      value: false,
      reason: "STATIC",
      variant: "off",
      metadata: { ...metadata, why: "OFF" },
    });
  });

  test("for all flags gives each its answer", async () => {
    const { v1 } = await clientOf();
    const all = await v1.resolveAll({ context });
    expect(all.metadata).toEqual(metadata);
    expect(Object.keys(all.flags).sort()).toEqual(["full", "half", "none"]);
    expect(all.flags["full"]).toMatchObject({
      reason: "STATIC",
      variant: "on",
      value: { case: "boolValue", value: true },
    });
  });

  test("for a value of another type is refused as flagd does, v1 and v2", async () => {
    const { v1, v2 } = await clientOf();
    for (const client of [v1 as unknown as typeof v2, v2]) {
      const wrong = { flagKey: "full", context };
      expect(await codeOf(client.resolveString(wrong))).toBe("InvalidArgument");
      expect(await codeOf(client.resolveInt(wrong))).toBe("InvalidArgument");
      expect(await codeOf(client.resolveFloat(wrong))).toBe("InvalidArgument");
      expect(await codeOf(client.resolveObject(wrong))).toBe("InvalidArgument");
      expect(await codeOf(client.resolveString({ flagKey: "nowhere" }))).toBe("NotFound");
    }
  });

  test.each(["nowhere", "", "no name", "horizon/full", "x".repeat(10_000), "__proto__"])(
    "for the flag %j is not found, and says no more of it than needed",
    async (flagKey) => {
      const { v2 } = await clientOf();
      const failed = await v2.resolveBoolean({ flagKey, context }).catch((thrown) => thrown);
      expect(failed).toMatchObject({ code: 5 });
      expect(String(failed).length).toBeLessThan(300);
    },
  );

  test("asks the release that the context names, or the selector", async () => {
    const releases = { "2.3.0": { path: 10_000 } };
    const { v2 } = await clientOf(nodeWith({ path: 0 }, { releases }));
    const ask = async (version: unknown, selector = "") => {
      const headers = { "Flagd-Selector": selector };
      const asked = { flagKey: "path", context: { ...context, version } as never };
      return (await v2.resolveBoolean(asked, { headers })).value;
    };
    expect(await ask("2.3.0")).toBe(true);
    expect(await ask("2.4.0")).toBe(false);
    expect(await ask(null)).toBe(false);
    expect(await ask("2.4.0", "flagSetId=horizon,version=2.3.0")).toBe(true);
    expect(await ask("2.3.0", "version=2.4.0")).toBe(false);
  });
});

describe("a context", () => {
  test.each([
    [{}, false],
    [{ targetingKey: null }, false],
    [{ targetingKey: "", instance: "" }, false],
    [{ targetingKey: "i-1", instance: null }, true],
    [{ targetingKey: "nobody", instance: "i-1" }, true],
    [{ targetingKey: { is: "no text" } }, false],
    [{ targetingKey: "i-1", more: "x".repeat(100_000), list: [1, [2, { three: null }]] }, true],
  ])("with odd fields is answered (%#)", async (fields, expected) => {
    const { v2 } = await clientOf();
    const answer = await v2.resolveBoolean({ flagKey: "half", context: fields as never });
    expect(answer).toMatchObject({ value: expected, reason: "TARGETING_MATCH" });
  });

  test("that is not there is one without a key", async () => {
    const { v2 } = await clientOf();
    expect((await v2.resolveBoolean({ flagKey: "half" })).value).toBe(false);
    expect((await v2.resolveBoolean({ flagKey: "full" })).value).toBe(true);
  });

  test("past the bound is refused, and the next call is answered", async () => {
    const { v2 } = await clientOf();
    const huge = { ...context, more: "x".repeat(appRequestBytesMax) };
    const refused = v2.resolveBoolean({ flagKey: "full", context: huge });
    expect(await codeOf(refused)).toBe("ResourceExhausted");
    expect((await v2.resolveBoolean({ flagKey: "full", context })).value).toBe(true);
  });

  test("nested without end is refused, and the next call is answered", async () => {
    const { url, v2 } = await clientOf();
    const deep = `${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}`;
    const response = await fetch(`${url}/flagd.evaluation.v2.Service/ResolveBoolean`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: `{"flagKey":"full","context":${deep}}`,
    });
    expect(response.status).toBe(400);
    expect((await v2.resolveBoolean({ flagKey: "full", context })).value).toBe(true);
  });
});

describe("a selector", () => {
  const two = (): ReturnType<typeof nodeWith> =>
    nodeWith({ path: 10_000 }, { project: "acme" }, nodeWith({ path: 0 }));

  test.each([
    ["horizon", "horizon"],
    ["acme", "acme"],
    ["flagSetId=acme", "acme"],
    ["source=acme", "acme"],
    ["source=acme, flagSetId=acme", "acme"],
    ["flagSetId=acme,version=2.3.0", "acme"],
  ])("%j means %s", async (selector, project) => {
    const { v2 } = await clientOf(two());
    const headers = { "Flagd-Selector": selector };
    const answer = await v2.resolveBoolean({ flagKey: "path", context }, { headers });
    expect(answer.metadata).toMatchObject({ project });
  });

  test.each([
    ["", "InvalidArgument"],
    ["size=12", "InvalidArgument"],
    ["source=acme,flagSetId=horizon", "InvalidArgument"],
    ["flagSetId=", "InvalidArgument"],
    ["source=../etc/passwd", "InvalidArgument"],
    ["x".repeat(2_000), "InvalidArgument"],
    ["flagSetId=nowhere", "NotFound"],
  ])("%j is refused with %s", async (selector, code) => {
    const { v1, v2 } = await clientOf(two());
    const headers = { "Flagd-Selector": selector };
    expect(await codeOf(v2.resolveBoolean({ flagKey: "path" }, { headers }))).toBe(code);
    expect(await codeOf(v1.resolveAll({}, { headers }))).toBe(code);
  });

  test("that is wanting says which projects there are", async () => {
    const { v2 } = await clientOf(two());
    await expect(v2.resolveBoolean({ flagKey: "path" })).rejects.toThrow("horizon, acme");
  });
});

describe("a project of which nothing verified is held", () => {
  test("has no flag to answer with, so apps use their defaults", async () => {
    const { v1, v2 } = await clientOf(nodeWith({ path: 10_000 }, { freshness: "EMPTY" }));
    expect(await codeOf(v2.resolveBoolean({ flagKey: "path", context }))).toBe("NotFound");
    // All flags at once would be taken for all that there are.
    expect(await codeOf(v1.resolveAll({ context }))).toBe("Unavailable");
  });
});
