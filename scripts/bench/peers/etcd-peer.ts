import { connect } from "node:http2";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { grpcMessage } from "../grpc-messages.ts";
import { freeAddress } from "./free-address.ts";
import { PeerProcess } from "./peer-process.ts";
import type { PeerServer } from "./peer-server.ts";

const key = Buffer.from("flags");

/** etcd, one node of it, that keeps each change on disk and tells all who watch the key. */
export async function openEtcd(
  program: string,
  bytesCount: number,
): Promise<PeerServer & AsyncDisposable> {
  const address = await freeAddress();
  const peers = await freeAddress();
  const process = await PeerProcess.open({ program, args: argsOf(address, peers), address });
  const session = connect(`http://${address}`);
  const put = putRequest(Buffer.alloc(bytesCount, 1));
  return {
    process,
    change: () =>
      new Promise<void>((resolve, reject) => {
        const stream = session.request({
          ":method": "POST",
          ":path": "/etcdserverpb.KV/Put",
          "content-type": "application/grpc+proto",
          te: "trailers",
        });
        stream.once("error", reject).once("end", resolve).resume();
        stream.end(grpcMessage(put));
      }),
    clients: {
      file: "grpc-watchers-worker.ts",
      dial: {
        address,
        path: "/etcdserverpb.Watch/Watch",
        isOpen: true,
        hello: Buffer.from(watchRequest()).toString("base64"),
      },
    },
    [Symbol.asyncDispose]: async () => {
      session.destroy();
      await process[Symbol.asyncDispose]();
    },
  };
}

function argsOf(address: string, peers: string): (directory: string) => string[] {
  return (directory) => [
    `--data-dir=${directory}/data`,
    `--listen-client-urls=http://${address}`,
    `--advertise-client-urls=http://${address}`,
    `--listen-peer-urls=http://${peers}`,
    `--initial-advertise-peer-urls=http://${peers}`,
    `--initial-cluster=default=http://${peers}`,
    "--log-level=error",
  ];
}

/** `PutRequest{key = 1, value = 2}` of etcd's api/etcdserverpb/rpc.proto. */
function putRequest(value: Uint8Array): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.LengthDelimited).bytes(key);
  return writer.tag(2, WireType.LengthDelimited).bytes(value).finish();
}

/** `WatchRequest{create_request = 1: WatchCreateRequest{key = 1}}` of the same. */
function watchRequest(): Uint8Array {
  const create = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(key).finish();
  return new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(create).finish();
}
