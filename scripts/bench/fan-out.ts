import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { WatchRequestSchema } from "../../gen/headwater/v1/apps_pb.ts";
import { envelope } from "../../nodes/http/connect-envelope.ts";
import { BenchRoot, project } from "./bench-root.ts";
import type { Bench, Figure } from "./figure.ts";
import { measureRounds, perDelivery, type Rounds, type Server } from "./rounds.ts";
import { Worker } from "./worker.ts";

/** One delta to many streams of apps, beside writing the same bytes to as many TCP connections. */
export function fanOut(counts: readonly number[]): Bench {
  return async (tell) => {
    const figures: Figure[] = [];
    // What one client alone costs is the same for all counts.
    const alone = await measureNode(1);
    const floorAlone = await measureTcp(1, alone.heardOfOne);
    for (const count of counts) {
      tell(`one delta to ${count} app streams`);
      const many = await measureNode(count);
      const floor = await measureTcp(count, many.heardOfOne);
      figures.push(...figuresOf(count, { many, alone, floor, floorAlone }));
    }
    return figures;
  };
}

function figuresOf(
  count: number,
  of: { many: Rounds; alone: Rounds; floor: Rounds; floorAlone: Rounds },
): Figure[] {
  const { many, alone, floor, floorAlone } = of;
  const name = "raw TCP";
  const floorUs = perDelivery({ many: floor, alone: floorAlone, count });
  return [
    {
      name: `one delta to ${count} app streams: CPU per delivery`,
      unit: "us",
      samples: perDelivery({ many, alone, count }),
      beside: { name, samples: floorUs },
      ratioMax: 1.1,
    },
    {
      name: `one delta to ${count} app streams: commit to the last`,
      unit: "ms",
      samples: many.lastMs,
      beside: { name, samples: floor.lastMs },
    },
    {
      name: `memory of an app stream, of ${count}`,
      unit: "KiB",
      samples: [many.residentBytes / count / 1_024],
      beside: { name, samples: [floor.residentBytes / count / 1_024] },
      ratioMax: 4,
    },
  ];
}

async function measureNode(count: number): Promise<Rounds> {
  await using root = await BenchRoot.open(10);
  const server = { process: root.worker, address: root.apps, hello: watchRequest() };
  // Percentages whose encoding has the same length.
  return await measure(count, { ...server, change: (round) => root.setPercentage(2_000 + round) });
}

/** What an app says first, over HTTP/1.1. */
function watchRequest(position: Uint8Array = new Uint8Array(0)): Buffer {
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

async function measureTcp(count: number, bytesCount: number): Promise<Rounds> {
  await using worker = new Worker(join(import.meta.dirname, "tcp-worker.ts"));
  const address = await worker.ask<string>("start");
  const change = (): Promise<void> => worker.ask("change", { bytesCount });
  return await measure(count, { process: worker, address, hello: Buffer.from("hello"), change });
}

async function measure(
  count: number,
  server: Server & { readonly address: string; readonly hello: Buffer },
): Promise<Rounds> {
  await using worker = new Worker(join(import.meta.dirname, "watchers-worker.ts"));
  const { address } = server;
  const hello = server.hello.toString("base64");
  const dial = (): Promise<unknown> => worker.ask("dial", { address, count, hello });
  return await measureRounds(server, { worker, count, dial });
}
