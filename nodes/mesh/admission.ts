import { isIPv6 } from "node:net";
import { minuteMs, overloadRetryMs } from "../../relay/cadence.ts";
import {
  meshBytesBurstMax,
  meshBytesPerSecondMax,
  meshCallsBurstMax,
  meshCallsPerSecondMax,
  meshCallsTotalBurstMax,
  meshCallsTotalPerSecondMax,
  meshDialsBurstMax,
  meshDialsPerSecondMax,
  meshDialsTotalBurstMax,
  meshDialsTotalPerSecondMax,
} from "../../relay/limits.ts";
import { RateLimit } from "../../relay/rate-limit.ts";
import type { Log } from "../log.ts";

/** What is told of what was turned away, at most this often: a flood must not fill the log. */
const tellIntervalMs = minuteMs;

type Kind = "connections" | "calls" | "floods";

/**
 * Lets in what strangers ask of a node before anything is done for them: connections before TLS,
 * calls before their credential is looked at, bytes of whatever kind. Each address has its share,
 * so that one that goes past it takes nothing from the others; all together have another.
 */
export class Admission {
  readonly #dials = new RateLimit({
    burst: meshDialsBurstMax,
    perSecond: meshDialsPerSecondMax,
  });
  readonly #calls = new RateLimit({
    burst: meshCallsBurstMax,
    perSecond: meshCallsPerSecondMax,
  });
  readonly #bytes = new RateLimit({
    burst: meshBytesBurstMax,
    perSecond: meshBytesPerSecondMax,
  });
  readonly #allDials = new RateLimit({
    burst: meshDialsTotalBurstMax,
    perSecond: meshDialsTotalPerSecondMax,
  });
  readonly #allCalls = new RateLimit({
    burst: meshCallsTotalBurstMax,
    perSecond: meshCallsTotalPerSecondMax,
  });
  readonly #log: Log;
  readonly #nowMs: () => number;
  readonly #turnedAway = new Map<Kind, { count: number; address: string }>();
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(of: {
    readonly log: Log;
    /** Monotonic milliseconds. */
    readonly nowMs: () => number;
  }) {
    this.#log = of.log;
    this.#nowMs = of.nowMs;
  }

  /** Whether a connection may come in. */
  connection(address: string): boolean {
    const key = sourceOf(address);
    const nowMs = this.#nowMs();
    const isIn = takeBoth({ own: this.#dials, all: this.#allDials, key, nowMs });
    if (!isIn) this.#turnAway("connections", key);
    return isIn;
  }

  /** Milliseconds after which a call is to be tried again; undefined when it may go on now. */
  call(address: string): number | undefined {
    const key = sourceOf(address);
    const nowMs = this.#nowMs();
    if (takeBoth({ own: this.#calls, all: this.#allCalls, key, nowMs })) return undefined;
    this.#turnAway("calls", key);
    return overloadRetryMs;
  }

  /** Whether an address may go on, having sent so many bytes more. */
  bytes(address: string, count: number): boolean {
    const key = sourceOf(address);
    const isIn = this.#bytes.take(key, this.#nowMs(), count);
    if (!isIn) this.#turnAway("floods", key);
    return isIn;
  }

  #turnAway(kind: Kind, address: string): void {
    const count = (this.#turnedAway.get(kind)?.count ?? 0) + 1;
    this.#turnedAway.set(kind, { count, address });
    if (this.#nowMs() - this.#toldAtMs < tellIntervalMs) return;
    this.#toldAtMs = this.#nowMs();
    const what = [...this.#turnedAway].map(([one, of]) => `${of.count} ${one}`).join(", ");
    const message = `more than this node takes: turned away ${what}, the last from ${address}`;
    this.#log.write({ level: "warn", event: "mesh-overload", message });
    this.#turnedAway.clear();
  }
}

/**
 * Of what an address may do and of what all may, or of neither: who is turned away because of all the
 * others would else have spent its own share, and come in later than it could.
 */
function takeBoth(of: { own: RateLimit; all: RateLimit; key: string; nowMs: number }): boolean {
  const { own, all, key, nowMs } = of;
  return own.allows(key, nowMs) && all.take("", nowMs) && own.take(key, nowMs);
}

/** Whoever has one IPv6 address has all 2^64 of its network. */
function sourceOf(address: string): string {
  if (!address.includes(":")) return address;
  const plain = address.replace(/^::ffff:/i, "");
  if (!isIPv6(plain)) return plain;
  const [head = "", tail] = plain.split("::");
  const groups = head.split(":");
  const zeros = tail === undefined ? 0 : 8 - groups.length - tail.split(":").length;
  return [...groups, ...Array<string>(Math.max(0, zeros)).fill("0")].slice(0, 4).join(":");
}
