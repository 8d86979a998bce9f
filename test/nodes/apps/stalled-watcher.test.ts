import type { Readable } from "node:stream";
import { create, toBinary } from "@bufbuild/protobuf";
import { createConnectTransport } from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import { WatchRequestSchema } from "../../../gen/headwater/v1/apps_pb.ts";
import { FlagTable } from "../../../relay/layers/flag-table.ts";
import { FakeAccess, flagAt } from "../fake-access.ts";
import { openHttp2 } from "../http/http2-call.ts";
import { openRaw } from "../http/raw-connection.ts";
import { openTestApps } from "./open-apps.ts";
import { startWatching, until } from "./watching.ts";

const project = "horizon";
const path = "/headwater.v1.FlagService/Watch";

/** Names far longer than may be: a table of 100 KB for little work. */
const tableBytes = 100_000;
const names = Array.from({ length: 10 }, (_, index) => `${index}`.padEnd(tableBytes / 10, "x"));
const changesCount = 300;

function tableAt(basisPoints: number): Map<string, ReturnType<typeof flagAt>> {
  return new Map(names.map((name) => [name, flagAt(name, basisPoints)]));
}

/** A `WatchRequest` in the envelope of Connect's and gRPC's streams: no flags, length, message. */
function envelope(): Buffer {
  const message = toBinary(WatchRequestSchema, create(WatchRequestSchema, { project }));
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Asks to watch and reads nothing of the answer. */
async function stallOverHttp1(address: string, ...headers: string[]): Promise<Readable> {
  const { socket } = await openRaw(address);
  socket.removeAllListeners("data").pause();
  const body = envelope();
  const head = [
    "host: node",
    "content-type: application/connect+proto",
    `content-length: ${body.length}`,
    ...headers,
  ];
  const text = Buffer.from(`POST ${path} HTTP/1.1\r\n${head.join("\r\n")}\r\n\r\n`);
  socket.write(Buffer.concat([text, body]));
  return socket;
}

/** A stream has its connection for itself unless there is something about the request. */
function stallBesideOthers(address: string): Promise<Readable> {
  return stallOverHttp1(address, "origin: https://example.org");
}

async function stallOverHttp2(address: string): Promise<Readable> {
  const session = await openHttp2(`http://${address}`);
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc+proto",
  });
  stream.on("error", () => undefined);
  stream.end(envelope());
  return stream;
}

describe.each([
  ["HTTP/1.1", (address: string) => stallOverHttp1(address)],
  ["HTTP/1.1 beside others", stallBesideOthers],
  ["HTTP/2", stallOverHttp2],
])("a watcher over %s that does not read", (_, stall) => {
  test("delays nobody, and is owed no more than one frame when it reads again", async () => {
    const access = new FakeAccess();
    const table = new FlagTable("", [...tableAt(0).values()]);
    access.project(project, { tables: new Map([["", table]]) });
    const { url, address, counts } = await openTestApps(access);
    const stalled = await stall(address);
    await until(() => counts.watchersCount === 1);
    const transport = createConnectTransport({ baseUrl: url, httpVersion: "1.1" });
    const reading = startWatching(transport, { project });
    for (let change = 1; change <= changesCount; change++) {
      // It has all that came before, and gets this one although the other has taken nothing.
      await until(() => reading.frames.length === change);
      access.change(project, "", tableAt(change));
    }
    await until(() => reading.frames.length === changesCount + 1);

    let readBytes = 0;
    let tail = Buffer.alloc(0);
    stalled.on("data", (chunk: Buffer) => {
      readBytes += chunk.length;
      tail = Buffer.concat([tail, chunk]).subarray(-2 * tableBytes);
    });
    stalled.resume();
    await until(() => tail.includes(Buffer.from(table.position)));
    // Everything sent would be 30 MB; what the kernel holds of a connection is less than half.
    expect(readBytes).toBeLessThan((changesCount * tableBytes) / 2);
    stalled.destroy();
    reading.abort.abort();
    await until(() => counts.watchersCount === 0);
    expect(access.toldKinds.sort()).toEqual([
      "watch-closed",
      "watch-closed",
      "watch-opened",
      "watch-opened",
    ]);
  });

  test("is freed when it goes without ever having read", async () => {
    const access = new FakeAccess();
    const table = new FlagTable("", [...tableAt(0).values()]);
    access.project(project, { tables: new Map([["", table]]) });
    const { address, counts } = await openTestApps(access);
    const stalled = await stall(address);
    await until(() => counts.watchersCount === 1);
    for (let change = 1; change <= 50; change++) access.change(project, "", tableAt(change));
    stalled.destroy();
    await until(() => counts.watchersCount === 0);
    expect(access.toldKinds).toEqual(["watch-opened", "watch-closed"]);
  });

  test("is cut when it takes nothing for too long", async () => {
    const access = new FakeAccess();
    const table = new FlagTable("", [...tableAt(0).values()]);
    access.project(project, { tables: new Map([["", table]]) });
    const { address, counts } = await openTestApps(access, {
      deadlines: { silenceMs: 100, closeMs: 1_000 },
    });
    const stalled = await stall(address);
    stalled.on("error", () => undefined);
    await until(() => counts.watchersCount === 1);
    let change = 0;
    await until(() => {
      access.change(project, "", tableAt(++change));
      return counts.watchersCount === 0;
    });
    expect(access.toldKinds).toEqual(["watch-opened", "watch-closed"]);
  });
});
