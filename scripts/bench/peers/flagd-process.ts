import { freeAddress, portOf } from "./free-address.ts";
import { PeerProcess } from "./peer-process.ts";

/** flagd, with its flags from a server of its own protocol: that of another flagd, or a bare one. */
export interface FlagdProcess extends AsyncDisposable {
  readonly process: PeerProcess;
  /** `host:port` of its `SyncFlags`. */
  readonly sync: string;
}

export async function openFlagd(program: string, source: string): Promise<FlagdProcess> {
  const [sync, evaluation, ofrep, management] = [
    await freeAddress(),
    await freeAddress(),
    await freeAddress(),
    await freeAddress(),
  ];
  const sources = JSON.stringify([{ uri: source, provider: "grpc" }]);
  const ports = [
    ["--sync-port", sync],
    ["--port", evaluation],
    ["--ofrep-port", ofrep],
    ["--management-port", management],
  ] as const;
  const args = ports.flatMap(([option, address]) => [option, portOf(address)]);
  const process = await PeerProcess.open({
    program,
    args: () => ["start", "--sources", sources, ...args],
    address: sync,
  });
  return { process, sync, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() };
}
