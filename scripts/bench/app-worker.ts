// One app that watches, and notes when it has heard of each percentage of the first flag.
import { request } from "node:http";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { WatchRequestSchema, WatchResponseSchema } from "../../gen/headwater/v1/apps_pb.ts";
import { envelope } from "../../nodes/http/connect-envelope.ts";
import { Arrivals } from "./arrivals.ts";
import { project } from "./bench-root.ts";
import { GrpcMessages } from "./grpc-messages.ts";
import { serveVerbs } from "./worker.ts";

const arrivals = new Arrivals();

serveVerbs({
  start: ({ address }: { address: string }): void => {
    const [host, port] = address.split(":");
    const path = "/headwater.v1.FlagService/Watch";
    const headers = { "content-type": "application/connect+proto" };
    const messages = new GrpcMessages();
    const call = request({ host, port, path, method: "POST", headers }, (response) => {
      response.on("data", (chunk: Buffer) => messages.take(chunk).forEach(hear));
    });
    call.end(envelope(toBinary(WatchRequestSchema, create(WatchRequestSchema, { project }))));
  },
  at: (of: { number: number }): number | undefined => arrivals.at(of),
});

function hear(message: Buffer): void {
  const { frame } = fromBinary(WatchResponseSchema, message);
  if (frame.case !== "table" && frame.case !== "delta") return;
  for (const { name, basisPoints = 0 } of frame.value.flags)
    if (name === "flag-0") arrivals.add(basisPoints);
}
