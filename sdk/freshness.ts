/**
 * How sure it is that the flags held are the newest: `FRESH`, `STALE` when nobody has said so for a
 * while, `EXPIRED` after the project's own period, `EMPTY` when none are held. A label: flags keep
 * their last value whatever it says.
 */
export type Freshness = "FRESH" | "STALE" | "EXPIRED" | "EMPTY";

/** A label that a later node may have is not taken for fresh. */
export function parseFreshness(text: string): Freshness {
  switch (text) {
    case "FRESH":
    case "EXPIRED":
    case "EMPTY":
      return text;
    default:
      return "STALE";
  }
}
