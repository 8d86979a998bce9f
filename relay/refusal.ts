/** Why something was not done: a value of the core, turned into an error at the edges. */
export interface Refusal {
  readonly kind: RefusalKind;
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
}

/**
 * - `invalid`: the request makes no sense, the message names the field
 * - `unknown`: no such project, flag, child
 * - `conflict`: it has changed meanwhile, or exists already
 * - `forbidden`: no key, grant or credential for it
 * - `limit`: past a bound
 * - `unavailable`: not now: the disk is full, nothing verified is held
 */
export type RefusalKind =
  | "invalid"
  | "unknown"
  | "conflict"
  | "forbidden"
  | "limit"
  | "unavailable";

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refusal: Refusal };

export function done<T>(value: T): Outcome<T> {
  return { ok: true, value };
}

export function refused(
  kind: RefusalKind,
  message: string,
  hint?: string,
): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal: hint === undefined ? { kind, message } : { kind, message, hint } };
}

/** What has to do with telemetry, at a node that has none. Flags do not need it. */
export function telemetryOff(): ReturnType<typeof refused> {
  return refused(
    "forbidden",
    "telemetry is off at this node",
    "HEADWATER_TELEMETRY or DO_NOT_TRACK of the node says so; flags do not need it.",
  );
}

/** Nothing was done, because it could not be written. */
export function notDurable(why: string): ReturnType<typeof refused> {
  return refused("unavailable", `nothing was changed: ${why}`, "Try again once that is mended.");
}
