import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { toBinary } from "@bufbuild/protobuf";
import { describe, expect, onTestFinished, test } from "vitest";
import { WatchResponseSchema } from "../../gen/headwater/v1/apps_pb.ts";
import { answerBytesMax } from "../../sdk/limits.ts";
import { eventually } from "./eventually.ts";
import { openClient } from "./open-client.ts";
import { frameOf } from "./small-node.ts";

/** A frame as it is on the wire, or the beginning of one. */
function envelope(bytes: Uint8Array, length = bytes.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, bytes]);
}

/** What answers to calls as no node should; the answers that are still going on. */
async function serve(of: {
  watch?: (response: ServerResponse) => void;
  report?: (response: ServerResponse) => void;
}): Promise<{ url: string; open: Set<ServerResponse> }> {
  const open = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    request.resume();
    open.add(response);
    response.once("close", () => open.delete(response));
    const isWatch = request.url?.endsWith("/Watch") === true;
    const type = isWatch ? "application/connect+proto" : "application/proto";
    response.writeHead(200, { "content-type": type }).flushHeaders();
    (isWatch ? of.watch : of.report)?.(response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, open };
}

describe("an answer", () => {
  test("with a frame that is longer than any table is given up before it has come", async () => {
    const watch = (response: ServerResponse) =>
      response.write(envelope(Buffer.alloc(0), answerBytesMax + 1));
    const { url, open } = await serve({ watch });
    const flags = await openClient({ url, waitMs: 0, telemetry: "off" });
    await eventually(() => expect(flags.problems.join()).toContain("longer than"));
    await eventually(() => expect(open.size).toBeLessThanOrEqual(1));
    expect(flags.enabled("on", { default: true })).toBe(true);
  });

  test("to a report without an end is given up", async () => {
    const report = (response: ServerResponse) => {
      const go = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(1 << 20)));
        if (!response.destroyed) response.once("drain", go);
      };
      go();
    };
    const flags = await openClient({ url: (await serve({ report })).url, waitMs: 0 });
    await eventually(() => expect(flags.problems.join()).toContain("longer than"));
  });

  test("that comes a byte at a time is taken, frame by frame", async () => {
    const frames = [
      { table: { on: 10_000 }, at: "one" },
      { delta: { on: 0 }, from: "one", at: "two" },
      { delta: { on: 10_000 }, from: "two", at: "three" },
    ];
    const bytes = Buffer.concat(
      frames.map((frame) => envelope(toBinary(WatchResponseSchema, frameOf(frame)))),
    );
    const watch = (response: ServerResponse) => {
      let at = 0;
      const timer = setInterval(() => {
        if (at < bytes.length) response.write(bytes.subarray(at, ++at));
        else clearInterval(timer);
      }, 1);
    };
    const flags = await openClient({ url: (await serve({ watch })).url, telemetry: "off" });
    const heard: boolean[] = [];
    flags.on("change", ({ enabled }) => heard.push(enabled));
    await eventually(() => expect(heard).toEqual([false, true]));
    expect(flags.problems).toEqual([]);
  });
});
