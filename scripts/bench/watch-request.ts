import { create, toBinary } from "@bufbuild/protobuf";
import { WatchRequestSchema } from "../../gen/headwater/v1/apps_pb.ts";
import { envelope } from "../../nodes/http/connect-envelope.ts";
import { project } from "./bench-root.ts";

/** What an app says first, over HTTP/1.1; with a position, one that has a table already. */
export function watchRequest(position: Uint8Array = new Uint8Array(0)): Buffer {
  const request = create(WatchRequestSchema, { project, position });
  const body = envelope(toBinary(WatchRequestSchema, request));
  const head = [
    "POST /headwater.v1.FlagService/Watch HTTP/1.1",
    "host: node",
    "content-type: application/connect+proto",
    `content-length: ${body.length}`,
  ];
  return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]);
}
