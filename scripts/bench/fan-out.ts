import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { WatchRequestSchema } from "../../gen/headwater/v1/apps_pb.ts";
import { envelope } from "../../nodes/http/connect-envelope.ts";
import { BenchRoot, project } from "./bench-root.ts";
import type { Bench, Figure } from "./figure.ts";
import { Worker } from "./worker.ts";

/** Changes that are measured one by one, after a few that warm up. */
const roundsCount = 30;
const warmUpsCount = 10;

/** What all connections are served by. */
interface Server {
  readonly worker: Worker;
  readonly address: string;
  /** What a connection says first. */
  readonly hello: Buffer;
  /** A change that every connection hears of in the same number of bytes. */
  change(round: number): Promise<void>;
}

interface Measured {
  /** Microseconds of the server's CPU for each round. */
  readonly cpuUs: readonly number[];
  /** From the change to the last connection, for each round. */
  readonly lastMs: readonly number[];
  readonly residentBytes: number;
  readonly deltaBytes: number;
}

/** One delta to many streams of apps, beside writing the same bytes to as many TCP connections. */
export function fanOut(counts: readonly number[]): Bench {
  return async (tell) => {
    const figures: Figure[] = [];
    for (const count of counts) {
      tell(`one delta to ${count} app streams`);
      figures.push(...(await fanOutTo(count)));
    }
    return figures;
  };
}

async function fanOutTo(count: number): Promise<Figure[]> {
  // What a change costs however many hear of it is not what a delivery costs.
  const alone = await measureNode(1);
  const ours = await measureNode(count);
  const floor = await measureTcp(count, ours.deltaBytes);
  const perDelivery = (cpuUs: readonly number[], aloneUs: number): number[] =>
    cpuUs.map((us) => (us - aloneUs) / (count - 1));
  const aloneUs = alone.cpuUs.reduce((sum, us) => sum + us, 0) / alone.cpuUs.length;
  return [
    {
      name: `one delta to ${count} app streams: CPU per delivery`,
      unit: "us",
      samples: perDelivery(ours.cpuUs, aloneUs),
      beside: { name: "raw TCP", samples: perDelivery(floor.cpuUs, 0) },
      ratioMax: 1.1,
    },
    {
      name: `one delta to ${count} app streams: commit to the last`,
      unit: "ms",
      samples: ours.lastMs,
      beside: { name: "raw TCP", samples: floor.lastMs },
    },
    {
      name: `memory of an app stream, of ${count}`,
      unit: "KiB",
      samples: [ours.residentBytes / count / 1_024],
      beside: { name: "raw TCP", samples: [floor.residentBytes / count / 1_024] },
      ratioMax: 4,
    },
  ];
}

async function measureNode(count: number): Promise<Measured> {
  await using root = await BenchRoot.open(10);
  const body = envelope(toBinary(WatchRequestSchema, create(WatchRequestSchema, { project })));
  const head = [
    "POST /headwater.v1.FlagService/Watch HTTP/1.1",
    "host: node",
    "content-type: application/connect+proto",
    `content-length: ${body.length}`,
  ];
  return await measure(count, {
    worker: root.worker,
    address: root.apps,
    hello: Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]),
    // Percentages whose encoding has the same length.
    change: (round) => root.setPercentage(2_000 + round),
  });
}

async function measureTcp(count: number, bytesCount: number): Promise<Measured> {
  await using worker = new Worker(join(import.meta.dirname, "tcp-worker.ts"));
  const address = await worker.ask<string>("start");
  const change = (): Promise<void> => worker.ask("change", { bytesCount });
  return await measure(count, { worker, address, hello: Buffer.from("hello"), change });
}

async function measure(count: number, server: Server): Promise<Measured> {
  await using watchers = new Worker(join(import.meta.dirname, "watchers-worker.ts"));
  const before = await server.worker.ask<number>("resident");
  const hello = server.hello.toString("base64");
  await watchers.ask("dial", { address: server.address, count, hello });
  const atFirst = await watchers.ask<number>("settle");
  const residentBytes = (await server.worker.ask<number>("resident")) - before;
  await server.change(0);
  const warm = await watchers.ask<number>("settle");
  const deltaBytes = (warm - atFirst) / count;
  const cpuUs: number[] = [];
  const lastMs: number[] = [];
  for (let round = 1; round <= warmUpsCount + roundsCount; round++) {
    const bytesCount = warm + round * deltaBytes * count;
    const heard = watchers.ask<number>("hear", { bytesCount });
    const cpuBefore = await server.worker.ask<number>("cpu");
    const begun = performance.timeOrigin + performance.now();
    await server.change(round);
    const at = await heard;
    const cpu = (await server.worker.ask<number>("cpu")) - cpuBefore;
    if (round <= warmUpsCount) continue;
    cpuUs.push(cpu);
    lastMs.push(at - begun);
  }
  return { cpuUs, lastMs, residentBytes, deltaBytes };
}
