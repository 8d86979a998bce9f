// Apps that report, one after the other on each of a few connections.
import { once } from "node:events";
import { Agent, request } from "node:http";
import { create, toBinary } from "@bufbuild/protobuf";
import { ReportRequestSchema } from "../../gen/headwater/v1/apps_pb.ts";
import { serveVerbs } from "./worker.ts";

const connectionsCount = 16;
const agent = new Agent({ keepAlive: true, maxSockets: connectionsCount });

interface Load {
  readonly address: string;
  readonly project: string;
  readonly flags: readonly string[];
  readonly count: number;
}

serveVerbs({
  /** As many reports, each of another instance. */
  report: async (load: Load): Promise<void> => {
    const bodies = Array.from({ length: load.count }, (_, n) => bodyOf(load, n));
    const one = async (): Promise<void> => {
      for (let body = bodies.pop(); body !== undefined; body = bodies.pop())
        await post(load.address, body);
    };
    await Promise.all(Array.from({ length: connectionsCount }, one));
  },
});

function bodyOf({ project, flags }: Load, n: number): Uint8Array {
  const report = create(ReportRequestSchema, {
    project,
    version: "1.0",
    health: "OK",
    instance: `instance-${n}`,
    flags: flags.map((name, at) => ({ name, active: (n + at) % 2 === 0 })),
  });
  return toBinary(ReportRequestSchema, report);
}

async function post(address: string, body: Uint8Array): Promise<void> {
  const [host, port] = address.split(":");
  const path = "/headwater.v1.TelemetryService/Report";
  const headers = { "content-type": "application/proto", "connect-protocol-version": "1" };
  const call = request({ host, port, path, agent, method: "POST", headers });
  call.end(body);
  const [response] = await once(call, "response");
  response.resume();
  await once(response, "end");
  if (response.statusCode !== 200) throw new Error(`a report was answered ${response.statusCode}`);
}
