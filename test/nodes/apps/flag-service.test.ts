import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { Client, credentials } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import {
  EvaluateRequestSchema,
  EvaluateResponseSchema,
  FlagService,
} from "../../../gen/headwater/v1/apps_pb.ts";
import type { NodeReads } from "../../../nodes/access.ts";
import { instanceLengthMax, versionLengthMax } from "../../../relay/limits.ts";
import { FakeAccess } from "../fake-access.ts";
import { bodyOf, openHttp2 } from "../http/http2-call.ts";
import { callJson, openTestApps } from "./open-apps.ts";

const method = "FlagService/Evaluate";
const question = { project: "horizon", flag: "new-scheduler", instance: "i-1", version: "2.3.0" };

/** Answers as the real one does for what it does not know; knows one flag. */
const evaluate: NodeReads["evaluate"] = ({ project, flag }) => {
  if (project !== "horizon") return { enabled: false, reason: "UNKNOWN_FLAG", freshness: "EMPTY" };
  if (flag !== "new-scheduler")
    return { enabled: false, reason: "UNKNOWN_FLAG", freshness: "FRESH" };
  return { enabled: true, reason: "ROLLOUT", freshness: "FRESH" };
};

const expected = { enabled: true, reason: "ROLLOUT", freshness: "FRESH" };

describe("Evaluate answers", () => {
  test("JSON over HTTP/1.1", async () => {
    const { url } = await openTestApps(new FakeAccess({ evaluate }));
    expect(await callJson(url, method, question)).toEqual({ status: 200, body: expected });
  });

  test.skipIf(spawnSync("curl", ["--version"]).error !== undefined)("curl", async () => {
    const { url } = await openTestApps(new FakeAccess({ evaluate }));
    const args = ["-sS", "-H", "content-type: application/json", "-d", JSON.stringify(question)];
    const curl = await promisify(execFile)("curl", [...args, `${url}/headwater.v1.${method}`]);
    expect(JSON.parse(curl.stdout)).toEqual(expected);
  });

  test("JSON over HTTP/2 without TLS", async () => {
    const { url } = await openTestApps(new FakeAccess({ evaluate }));
    const session = await openHttp2(url);
    const stream = session.request({
      ":method": "POST",
      ":path": `/headwater.v1.${method}`,
      "content-type": "application/json",
    });
    stream.end(JSON.stringify(question));
    expect(JSON.parse(await bodyOf(stream))).toEqual(expected);
    session.close();
  });

  test("gRPC, by a client that knows nothing of Connect", async () => {
    const { address } = await openTestApps(new FakeAccess({ evaluate }));
    const client = new Client(address, credentials.createInsecure());
    const answer = await new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        `/headwater.v1.${method}`,
        (message: typeof question) =>
          Buffer.from(toBinary(EvaluateRequestSchema, create(EvaluateRequestSchema, message))),
        (bytes) => fromBinary(EvaluateResponseSchema, bytes),
        question,
        (error, response) => (error === null ? resolve(response) : reject(error)),
      );
    });
    expect(answer).toMatchObject(expected);
    client.close();
  });

  test("Connect, gRPC and gRPC-Web by Connect's own clients", async () => {
    const { url } = await openTestApps(new FakeAccess({ evaluate }));
    for (const transport of [
      createConnectTransport({ baseUrl: url, httpVersion: "1.1" }),
      createConnectTransport({ baseUrl: url, httpVersion: "2" }),
      createGrpcTransport({ baseUrl: url }),
      createGrpcWebTransport({ baseUrl: url, httpVersion: "1.1" }),
      createGrpcWebTransport({ baseUrl: url, httpVersion: "2" }),
    ])
      expect(await createClient(FlagService, transport).evaluate(question)).toMatchObject(expected);
  });

  test("for an unknown project or flag too, with enabled in the answer", async () => {
    const { url } = await openTestApps(new FakeAccess({ evaluate }));
    expect(await callJson(url, method, { ...question, project: "unheard-of" })).toEqual({
      status: 200,
      body: { enabled: false, reason: "UNKNOWN_FLAG", freshness: "EMPTY" },
    });
    expect(await callJson(url, method, { ...question, flag: "x", version: "" })).toEqual({
      status: 200,
      body: { enabled: false, reason: "UNKNOWN_FLAG", freshness: "FRESH" },
    });
  });

  test("what the node says at its own time", async () => {
    const asked: unknown[] = [];
    const access = new FakeAccess({
      evaluate: (of, wallMs) => {
        asked.push([of, wallMs]);
        return evaluate(of, wallMs);
      },
    });
    const { url } = await openTestApps(access);
    await callJson(url, method, question);
    expect(asked).toEqual([[question, access.wallMs]]);
  });
});

describe("malformed input is refused with the name of the field:", () => {
  test.each([
    ["project", { project: "" }],
    ["project", { project: "no name" }],
    ["project", { project: `${"x".repeat(101)}` }],
    ["flag", { flag: "" }],
    ["flag", { flag: "-dash" }],
    ["instance", { instance: "" }],
    ["instance", { instance: "x".repeat(instanceLengthMax + 1) }],
    ["version", { version: "x".repeat(versionLengthMax + 1) }],
  ])("%s of %j", async (field, wrong) => {
    const { url } = await openTestApps(new FakeAccess({ evaluate }));
    const { status, body } = await callJson(url, method, { ...question, ...wrong });
    expect(status).toBe(400);
    expect(body).toEqual({
      code: "invalid_argument",
      message: expect.stringMatching(new RegExp(`^${field}: `)) as string,
    });
  });

  test.each([
    ["project", { project: "no name" }],
    ["version", { version: "x".repeat(versionLengthMax + 1) }],
  ])("%s of a watch", async (field, wrong) => {
    const { url, access } = await openTestApps();
    const transport = createConnectTransport({ baseUrl: url, httpVersion: "1.1" });
    const frames = createClient(FlagService, transport).watch({ project: "horizon", ...wrong });
    const first = frames[Symbol.asyncIterator]().next();
    await expect(first).rejects.toThrow(new RegExp(`^\\[invalid_argument\\] ${field}: `));
    expect(access.told).toEqual([]);
  });

  test("and at the bounds it is taken", async () => {
    const { url } = await openTestApps(new FakeAccess({ evaluate }));
    const longest = {
      project: "x".repeat(100),
      flag: "x".repeat(100),
      instance: "x".repeat(instanceLengthMax),
      version: "x".repeat(versionLengthMax),
    };
    expect((await callJson(url, method, longest)).status).toBe(200);
  });
});
