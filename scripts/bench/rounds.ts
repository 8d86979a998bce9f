import type { Worker } from "./worker.ts";

/** Changes that are measured one by one, after a few that warm up. */
const roundsCountMin = 30;
const warmUpsCountDefault = 10;

/** Who has not heard of a change by then will not: a peer may lose one. */
const hearMsMax = 120_000;

/** What a change costs by itself varies by more than a few deliveries cost: the fewer, the more rounds. */
const deliveriesCountMin = 20_000;

/** What fewer clients take is lost in what a process takes anyway. */
export const memoryClientsMin = 500;

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
  /** A change that every client hears of in one message. */
  change(round: number): Promise<unknown>;
}

/** Many clients in a process of their own, which counts the changes that they hear of. */
export interface Clients {
  readonly worker: Pick<Worker, "ask">;
  readonly count: number;
  /** So many more of them, the first of which has this number. */
  dial(of: { first: number; count: number }): Promise<unknown>;
}

/** A server and its clients, to be measured beside others. */
export class Side {
  /** Microseconds of the server's CPU for each round. */
  readonly cpuUs: number[] = [];
  /** From the change to the last client, for each round. */
  readonly lastMs: number[] = [];
  /** Of the server's memory, what one client takes. */
  readonly bytesOfOne: number;
  readonly #server: Server;
  readonly #clients: Clients;
  #changesCount = 0;

  private constructor(server: Server, clients: Clients, bytesOfOne: number) {
    this.#server = server;
    this.#clients = clients;
    this.bytesOfOne = bytesOfOne;
  }

  /**
   * Its clients have been let in, and have heard of one change. The first half of them makes the
   * server as large as it is with any: what the other half takes is theirs alone.
   */
  static async open(server: Server, clients: Clients): Promise<Side> {
    const first = clients.count >> 1;
    const count = clients.count - first;
    await clients.dial({ first: 0, count: first });
    const before = await server.process.residentBytes();
    await clients.dial({ first, count });
    const bytesOfOne = ((await server.process.residentBytes()) - before) / count;
    const side = new Side(server, clients, bytesOfOne);
    await side.#change();
    return side;
  }

  get clientsCount(): number {
    return this.#clients.count;
  }

  async turn({ counts }: { counts: boolean }): Promise<void> {
    const { process } = this.#server;
    const cpuBefore = await process.cpuUs();
    const lastMs = await this.#change();
    const cpuUs = (await process.cpuUs()) - cpuBefore;
    if (!counts) return;
    this.cpuUs.push(cpuUs);
    this.lastMs.push(lastMs);
  }

  /** The server changes something and all clients hear of it; after how long, in milliseconds. */
  async #change(): Promise<number> {
    const { worker, count } = this.#clients;
    const dueCount = (this.#changesCount + 1) * count;
    const heard = inTime(worker.ask<number>("hear", { dueCount }), count);
    const begun = performance.timeOrigin + performance.now();
    const [heardAt] = await Promise.all([heard, this.#server.change(this.#changesCount++)]);
    return heardAt - begun;
  }
}

/** @throws Error when so many clients have not all heard in time */
async function inTime(heard: Promise<number>, clientsCount: number): Promise<number> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const text = `${clientsCount} clients have not all heard of a change in ${hearMsMax} ms`;
    timer = setTimeout(() => reject(new Error(text)), hearMsMax);
  });
  try {
    return await Promise.race([heard, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * All sides take turns, so that whatever else the machine does is the same for all of them. Fewer
 * rounds are for changes that take long.
 */
export async function takeTurns(
  sides: readonly Side[],
  roundsCount: number = roundsCountOf(sides),
  warmUpsCount: number = warmUpsCountDefault,
): Promise<void> {
  for (let round = 0; round < warmUpsCount + roundsCount; round++) {
    // Who comes after whom matters to what is in the caches of a processor.
    const order = round % 2 === 0 ? sides : sides.toReversed();
    for (const side of order) await side.turn({ counts: round >= warmUpsCount });
  }
}

function roundsCountOf(sides: readonly Side[]): number {
  const clientsCountMax = Math.max(...sides.map((side) => side.clientsCount));
  return Math.max(roundsCountMin, Math.ceil(deliveriesCountMin / clientsCountMax));
}

/**
 * Microseconds for each delivery, by round. What a change costs however many hear of it, as with
 * one client alone in the same round, is not what a delivery costs.
 */
export function perDelivery({ many, alone }: { many: Side; alone: Side }): number[] {
  return many.cpuUs.map((us, round) => (us - (alone.cpuUs[round] ?? 0)) / (many.clientsCount - 1));
}
