import type { Worker } from "./worker.ts";

/** Changes that are measured one by one, after a few that warm up. */
const roundsCount = 30;
const warmUpsCount = 10;

/** A process whose cost is measured. */
interface Measurable {
  /** Microseconds of CPU since it began. */
  cpuUs(): Promise<number>;
  /** After a full collection, where one can be asked for. */
  residentBytes(): Promise<number>;
}

/** What all clients are served by. */
export interface Server {
  readonly process: Measurable;
  /** A change that every client hears of in the same number of bytes, or of messages. */
  change(round: number): Promise<unknown>;
}

/** Many clients in a process of their own, which counts what they hear: bytes, or messages. */
export interface Clients {
  readonly worker: Worker;
  readonly count: number;
  dial(): Promise<unknown>;
}

export interface Rounds {
  /** Microseconds of the server's CPU for each round. */
  readonly cpuUs: readonly number[];
  /** From the change to the last client, for each round. */
  readonly lastMs: readonly number[];
  readonly residentBytes: number;
  /** What one client hears of one change, in what the clients count. */
  readonly heardOfOne: number;
}

/** Clients dial, then the server changes something, again and again, and all of them hear of it. */
export async function measureRounds(server: Server, clients: Clients): Promise<Rounds> {
  const { worker, count } = clients;
  const before = await server.process.residentBytes();
  await clients.dial();
  const atFirst = await worker.ask<number>("settle");
  const residentBytes = (await server.process.residentBytes()) - before;
  await server.change(0);
  const warm = await worker.ask<number>("settle");
  const heardOfAll = warm - atFirst;
  const cpuUs: number[] = [];
  const lastMs: number[] = [];
  for (let round = 1; round <= warmUpsCount + roundsCount; round++) {
    const heard = worker.ask<number>("hear", { dueCount: warm + round * heardOfAll });
    const cpuBefore = await server.process.cpuUs();
    const begun = performance.timeOrigin + performance.now();
    await server.change(round);
    const at = await heard;
    const cpu = (await server.process.cpuUs()) - cpuBefore;
    if (round <= warmUpsCount) continue;
    cpuUs.push(cpu);
    lastMs.push(at - begun);
  }
  return { cpuUs, lastMs, residentBytes, heardOfOne: heardOfAll / count };
}

/**
 * Microseconds for each delivery, by round. What a change costs however many hear of it, as with
 * one client alone, is not what a delivery costs.
 */
export function perDelivery(of: { many: Rounds; alone: Rounds; count: number }): number[] {
  const { many, alone, count } = of;
  const aloneUs = alone.cpuUs.reduce((sum, us) => sum + us, 0) / alone.cpuUs.length;
  return many.cpuUs.map((us) => (us - aloneUs) / (count - 1));
}
