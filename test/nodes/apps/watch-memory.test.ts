import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test, vi } from "vitest";
import { WatchRequestSchema } from "../../../gen/headwater/v1/apps_pb.ts";
import { FlagTable } from "../../../relay/layers/flag-table.ts";
import { appRequestBytesMax } from "../../../relay/limits.ts";
import { FakeAccess, flagAt } from "../fake-access.ts";
import { openHttp2 } from "../http/http2-call.ts";
import { openRaw } from "../http/raw-connection.ts";
import { openTestApps } from "./open-apps.ts";
import { until } from "./watching.ts";

const project = "horizon";
const path = "/headwater.v1.FlagService/Watch";
const count = 50;
const paddingBytes = appRequestBytesMax - 1_000;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function enveloped(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Field 15, which no request has. */
function withUnknownField(): Buffer {
  const known = toBinary(WatchRequestSchema, create(WatchRequestSchema, { project }));
  const length: number[] = [];
  for (let left = paddingBytes; left > 0; left >>>= 7)
    length.push((left & 127) | (left > 127 ? 128 : 0));
  return enveloped(
    Buffer.concat([known, Buffer.from([(15 << 3) | 2, ...length]), Buffer.alloc(paddingBytes)]),
  );
}

function withLongPosition(): Buffer {
  const position = new Uint8Array(paddingBytes);
  return enveloped(toBinary(WatchRequestSchema, create(WatchRequestSchema, { project, position })));
}

async function overHttp1(address: string, body: Buffer): Promise<void> {
  const { socket } = await openRaw(address);
  const head = [
    "host: node",
    "content-type: application/connect+proto",
    `content-length: ${body.length}`,
  ];
  socket.write(
    Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${head.join("\r\n")}\r\n\r\n`), body]),
  );
}

async function overHttp2(address: string, body: Buffer): Promise<void> {
  const session = await openHttp2(`http://${address}`);
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc+proto",
  });
  stream.on("error", () => undefined).resume();
  stream.end(body);
}

test.each([
  ["a position that is none, over HTTP/1.1", overHttp1, withLongPosition],
  ["a field that it does not know, over HTTP/1.1", overHttp1, withUnknownField],
  ["a position that is none, over HTTP/2", overHttp2, withLongPosition],
  ["a field that it does not know, over HTTP/2", overHttp2, withUnknownField],
])("a node keeps nothing of what an app asked with: %s", async (_, ask, body) => {
  const access = new FakeAccess();
  access.project(project, { tables: new Map([["", new FlagTable("", [flagAt("alpha", 500)])]]) });
  const { address, counts } = await openTestApps(access);
  collect();
  const before = process.memoryUsage().arrayBuffers;
  for (let n = 0; n < count; n++) await ask(address, body());
  await until(() => counts.watchersCount === count);
  await vi.waitFor(
    () => {
      collect();
      const keptBytes = process.memoryUsage().arrayBuffers - before;
      expect(keptBytes).toBeLessThan((count * paddingBytes) / 10);
    },
    { timeout: 10_000, interval: 100 },
  );
});
