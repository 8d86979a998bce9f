/**
 * What Headwater promises, in the words of those it is promised to. I1 to I16 are the invariants of
 * the protocol; U1 and further are those of users that none of them covers.
 */
export const promises = {
  I1: "an acknowledged change is never lost, and is there whole or not at all",
  I2: "a node holds only states that the authority has signed, entry for entry",
  I3: "nothing that was shown goes back, across restarts too",
  I4: "nothing is sent, answered or shown before it is checked and durable",
  I5: "no flag disappears unless the authority has deleted it",
  I6: "a node that knows nothing says so, and never says that there are no flags",
  I7: "what the authority has signed is forwarded byte for byte",
  I8: "an entry that is not understood harms no other, and is not sent again and again",
  I9: "a slow peer costs a bounded amount of memory",
  I10: "no peer delays another",
  I11: "data that is called FRESH is at most five minutes behind the writer",
  I12: "a beat comes only after everything that it vouches for",
  I13: "whoever fails to connect comes back slowly",
  I14: "a snapshot is built once for all who need it",
  I15: "whoever is revoked is told so, and gets nothing more",
  I16: "a node has one live link to a parent, however often it connects",
  U1: "every live node converges after the faults have stopped, and stays connected",
  U2: "no app sees a forged or mixed value",
  U3: "nobody without a grant enables anything",
  U4: "a kill is never undone by accident",
  U5: "each instance counts at most once per window, each document once",
  U6: "no input and no fault makes a node fail",
  U7: "a verdict counts each instance once, loses none over a restart, and blames nobody who is well",
  U8: "a rollout goes on only on what it was told since its step began, and each decision follows from what is written with it",
  U9: "data says by which way it came, so that none goes round in a circle",
  U10: "no census says unused while something used it, or used where nothing did",
  U11: "a node that has nothing to do rests, and what it does comes to an end",
} as const;

export type PromiseId = keyof typeof promises;

/** Thrown at the first promise that is broken: what comes after it says nothing. */
export class BrokenPromise extends Error {
  readonly promise: PromiseId;
  readonly atMs: number;
  readonly node: string;
  readonly what: string;

  constructor(of: { promise: PromiseId; atMs: number; node: string; what: string }) {
    super(
      `${of.promise} at ${of.atMs} ms, ${of.node}: ${of.what} (promised: ${promises[of.promise]})`,
    );
    this.promise = of.promise;
    this.atMs = of.atMs;
    this.node = of.node;
    this.what = of.what;
  }
}

/** How often each promise was looked at, so that a check that never runs is noticed. */
export class PromiseTally {
  readonly counts = new Map<PromiseId, number>();

  /** @throws BrokenPromise unless it holds */
  hold(of: {
    promise: PromiseId;
    atMs: number;
    node: string;
    holds: boolean;
    what: string | (() => string);
  }): void {
    const { promise, atMs, node, holds, what } = of;
    this.counts.set(promise, (this.counts.get(promise) ?? 0) + 1);
    if (holds) return;
    throw new BrokenPromise({
      promise,
      atMs,
      node,
      what: typeof what === "string" ? what : what(),
    });
  }
}
