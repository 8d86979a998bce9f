import { create, toBinary } from "@bufbuild/protobuf";
import {
  Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  status,
} from "@grpc/grpc-js";
import {
  GoodbyeSchema,
  MeshService,
  ReplicateResponseSchema,
} from "../../gen/headwater/v1/mesh_pb.ts";
import type { Admission } from "./admission.ts";
import { methodCodec } from "./codec.ts";

const replicatePath = methodCodec(MeshService.method.replicate).path;

/** Turns calls away before their message is read, and says when to come again. */
export function sheddingInterceptor(admission: Admission): ServerInterceptor {
  return ({ path }, call) => {
    const retryAfterMs = admission.call(addressOf(call.getPeer()));
    // Around it grpc-js would go through two more objects for each message; it takes any that is like one.
    if (retryAfterMs === undefined) return call as ServerInterceptingCall;
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({ onReceiveMetadata: () => shed(call, path === replicatePath, retryAfterMs) }),
    });
  };
}

function shed(
  call: ServerInterceptingCallInterface,
  isReplicate: boolean,
  retryAfterMs: number,
): void {
  call.sendMetadata(new Metadata());
  if (isReplicate) {
    const value = create(GoodbyeSchema, { reason: "OVERLOAD", retryAfterMs });
    const frame = create(ReplicateResponseSchema, { frame: { case: "goodbye", value } });
    call.sendMessage(toBinary(ReplicateResponseSchema, frame), () =>
      call.sendStatus({ code: status.OK, details: "" }),
    );
    return;
  }
  const details = `this node is overloaded; try again in ${retryAfterMs / 1_000} s`;
  call.sendStatus({ code: status.RESOURCE_EXHAUSTED, details });
}

/** The host of `host:port`, as `getPeer` has it. */
function addressOf(peer: string): string {
  const host = peer.slice(0, peer.lastIndexOf(":"));
  return host.startsWith("[") ? host.slice(1, -1) : host;
}
