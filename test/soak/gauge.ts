// Loaded before the program that is measured: says what its process holds to whoever asks at a
// socket. A collection comes first, so that what it says is what is still reachable.
import { openSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import { devNull } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { queryObjects } from "node:v8";
import { directoryVariable, type Leak, leakVariable, type Reading } from "./gauges.ts";

/** Node has no name for the class of its timers. */
const Timeout = setTimeout(() => {}, 0).constructor;

const leakEveryMs = 10;

const directory = process.env[directoryVariable];
if (directory !== undefined)
  createServer((socket) => void socket.on("error", () => {}).end(JSON.stringify(reading())))
    .listen(join(directory, String(process.pid)))
    .unref();

const leak = process.env[leakVariable];
if (leak !== undefined) leakOnPurpose(JSON.parse(leak) as Leak);

/** Timers that were cleared and are still held count as well: somebody keeps them. */
function reading(): Reading {
  const timersCount = queryObjects(Timeout, { format: "count" });
  const { heapUsed, external, rss } = process.memoryUsage();
  return {
    heapBytes: heapUsed,
    externalBytes: external,
    residentBytes: rss,
    descriptorsCount: descriptorsCount(),
    timersCount,
  };
}

/** Only Linux says it without help. */
function descriptorsCount(): number | undefined {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return undefined;
  }
}

function leakOnPurpose({ heapBytes, timersCount, descriptorsCount }: Leak): void {
  const kept: unknown[] = [];
  const times = (perSecond: number): number[] =>
    Array.from({ length: Math.ceil((perSecond * leakEveryMs) / 1_000) });
  setInterval(() => {
    kept.push(Array.from({ length: Math.ceil((heapBytes * leakEveryMs) / 8_000) }, () => 0.5));
    for (const _ of times(timersCount)) kept.push(setTimeout(() => {}, 3_600_000).unref());
    for (const _ of times(descriptorsCount)) kept.push(openSync(devNull, "r"));
  }, leakEveryMs).unref();
}
