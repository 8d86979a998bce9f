import { once } from "node:events";
import { request } from "node:http";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { WatchRequestSchema, WatchResponseSchema } from "../../gen/headwater/v1/apps_pb.ts";
import { envelope } from "../../nodes/http/connect-envelope.ts";
import { project } from "./bench-root.ts";
import { GrpcMessages } from "./grpc-messages.ts";

/** Where the table of flags is that an app has now, of the node at `host:port`. */
export async function tablePosition(address: string): Promise<Uint8Array> {
  const [host, port] = address.split(":");
  const path = "/headwater.v1.FlagService/Watch";
  const headers = { "content-type": "application/connect+proto" };
  const call = request({ host, port, path, method: "POST", headers });
  call.end(envelope(toBinary(WatchRequestSchema, create(WatchRequestSchema, { project }))));
  const [response] = await once(call, "response");
  const messages = new GrpcMessages();
  for await (const chunk of response)
    for (const message of messages.take(chunk)) {
      const { frame } = fromBinary(WatchResponseSchema, message);
      if (frame.case === "table") return frame.value.position;
    }
  throw new Error("a node has ended a stream before its first table");
}
