import { connect } from "node:http2";
import { Client, credentials, status } from "@grpc/grpc-js";
import { expect, onTestFinished, test } from "vitest";
import { pemOf } from "../../../nodes/mesh/tls.ts";
import {
  frameReceivedBytesMax,
  meshRequestBytesMax,
  meshStreamsMax,
} from "../../../relay/limits.ts";
import { dialTo, openChild, openParent } from "./mesh-pair.ts";

/** A message of so many bytes, all of it in field 2000, which no message has. */
function messageOf(bytes: number): Buffer {
  const head = Buffer.from("827d", "hex");
  const length = bytes - head.length - 4;
  const varint = [0, 7, 14, 21].map((by) => ((length >> by) & 0x7f) | (by < 21 ? 0x80 : 0));
  return Buffer.concat([head, Buffer.from(varint), Buffer.alloc(length)]);
}

test("a child's request has so many bytes at most", async () => {
  const parent = await openParent();
  const pem = Buffer.from(pemOf(parent.identity.pin));
  using client = Object.assign(new Client(parent.server.address, credentials.createSsl(pem)), {
    [Symbol.dispose]: () => client.close(),
  });
  const statusOf = (bytes: number): Promise<number> =>
    new Promise((resolve) => {
      const same = (message: Buffer): Buffer => message;
      const path = "/headwater.v1.MeshService/Confirm";
      client.makeUnaryRequest(path, same, same, messageOf(bytes), (error) =>
        resolve(error?.code ?? status.OK),
      );
    });
  expect(await statusOf(meshRequestBytesMax)).toBe(status.OK);
  expect(await statusOf(meshRequestBytesMax + 1)).toBe(status.RESOURCE_EXHAUSTED);
  expect(parent.node.all("child-confirmed")).toHaveLength(1);
});

test("a parent's frame has so many bytes at most", async () => {
  const parent = await openParent();
  const child = openChild();
  child.client.dial(dialTo(parent));
  const { link } = await parent.node.nth("child-opened");
  parent.server.send(link, messageOf(frameReceivedBytesMax));
  await child.node.nth("upstream-frame");
  parent.server.send(link, messageOf(frameReceivedBytesMax + 1));
  expect((await child.node.nth("upstream-closed")).why).toMatch(/larger|no frame/);
  expect(child.node.all("upstream-frame")).toHaveLength(1);
});

test("so many calls are under way on one connection at most", async () => {
  const parent = await openParent();
  const ca = pemOf(parent.identity.pin);
  const session = connect(`https://${parent.server.address}`, { ca });
  session.on("error", () => {});
  onTestFinished(() => session.destroy());
  for (let n = 0; n <= meshStreamsMax; n++) {
    const stream = session.request({
      ":method": "POST",
      ":path": "/headwater.v1.MeshService/Replicate",
      "content-type": "application/grpc",
      te: "trailers",
    });
    // An empty message: not compressed, of no bytes.
    stream.on("error", () => {}).end(Buffer.alloc(5));
  }
  await parent.node.nth("child-opened", meshStreamsMax);
  expect(session.remoteSettings.maxConcurrentStreams).toBe(meshStreamsMax);
  // What was sent before the ping has come when it is answered.
  await new Promise((resolve) => session.ping(resolve));
  expect(parent.node.all("child-opened")).toHaveLength(meshStreamsMax);
});
