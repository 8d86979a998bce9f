import { create, toBinary } from "@bufbuild/protobuf";
import { SyncFlagsRequestSchema } from "../../../gen/flagd/sync/v1/sync_pb.ts";
import { flagdFlags } from "./flagd-flags.ts";
import { syncFlags } from "./flagd-peer.ts";
import { freeAddress, portOf } from "./free-address.ts";
import { PeerProcess } from "./peer-process.ts";
import type { PeerServer } from "./peer-server.ts";

const flagsFile = "flags.json";

/**
 * flagd-proxy, which sends a source anew to all who ask for it. Besides resources of Kubernetes it
 * takes files alone; one that is replaced as Kubernetes does it is one message to each.
 */
export async function openFlagdProxy(
  program: string,
  flagsCount: number,
): Promise<PeerServer & AsyncDisposable> {
  const [address, management] = [await freeAddress(), await freeAddress()];
  const args = ["start", "--port", portOf(address), "--management-port", portOf(management)];
  const files = { [flagsFile]: flagdFlags(flagsCount, 1_000) };
  const process = await PeerProcess.open({ program, args: () => args, address, files });
  const request = create(SyncFlagsRequestSchema, { selector: `file:${flagsFile}` });
  const hello = Buffer.from(toBinary(SyncFlagsRequestSchema, request)).toString("base64");
  return {
    process,
    change: async (round) => process.replace(flagsFile, flagdFlags(flagsCount, 2_000 + round)),
    clients: { file: "grpc-watchers-worker.ts", dial: { ...syncFlags, address, hello } },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}
