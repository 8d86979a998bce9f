import process from "node:process";

export const callsPerRound = 1_000_000;

/** Nanoseconds and bytes of one call. */
export interface Cost {
  readonly ns: number;
  readonly bytes: number;
}

/** @throws Error when the answer changes meanwhile */
export function costOf(call: () => boolean, count: number = callsPerRound): Cost {
  let on = 0;
  const cost = begin(count);
  for (let n = 0; n < count; n++) if (call()) on++;
  return cost(on);
}

/** The same of one that answers later, each call after the last. */
export async function costOfAwaited(call: () => Promise<boolean>, count: number): Promise<Cost> {
  let on = 0;
  const cost = begin(count);
  for (let n = 0; n < count; n++) if (await call()) on++;
  return cost(on);
}

function begin(count: number): (on: number) => Cost {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const begun = process.hrtime.bigint();
  return (on) => {
    const ns = Number(process.hrtime.bigint() - begun) / count;
    const bytes = Math.max(0, process.memoryUsage().heapUsed - before) / count;
    if (on !== 0 && on !== count) throw new Error("the answer has changed meanwhile");
    return { ns, bytes };
  };
}
