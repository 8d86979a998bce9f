import { deriveSecret } from "../trust/key.ts";

/** What a document is about, as a map key: `<upstream> <project> <kind>`. */
export type Slot = string;

export const documentKinds = ["WEIGHTS", "HEALTH"] as const;

export type DocumentKind = (typeof documentKinds)[number];

export function slotOf(of: { upstream: string; project: string; kind: DocumentKind }): Slot {
  return `${of.upstream} ${of.project} ${of.kind}`;
}

/** The latest window that anybody can speak of: clocks may be apart, and slots are. */
export function latestWindow(windowMs: number, wallMs: number): number {
  return Math.ceil(wallMs / windowMs) + 1;
}

/**
 * Windows of one kind and slot. They begin at an offset drawn once from the site's secret, so that
 * when a document is sent says nothing about what happened.
 */
export class Windows {
  readonly windowMs: number;
  readonly #offsetMs: number;

  constructor(of: { siteSecret: Uint8Array; slot: Slot; windowMs: number }) {
    this.windowMs = of.windowMs;
    const drawn = deriveSecret({ secret: of.siteSecret, purpose: `document slot ${of.slot}` });
    const fraction = Buffer.from(drawn).readUInt32BE(0) / 2 ** 32;
    this.#offsetMs = Math.floor(fraction * of.windowMs);
  }

  /** The number of the window that a time lies in. */
  at(wallMs: number): number {
    return Math.floor((wallMs - this.#offsetMs) / this.windowMs);
  }

  startMs(window: number): number {
    return window * this.windowMs + this.#offsetMs;
  }

  /**
   * The window that a document is due for, if any: the last whole one, newer than the last one
   * sent, and all of it after the operator's consent.
   */
  due(of: { wallMs: number; last: number; sinceMs: number }): number | undefined {
    const window = this.at(of.wallMs) - 1;
    return window > of.last && this.startMs(window) >= of.sinceMs ? window : undefined;
  }
}
