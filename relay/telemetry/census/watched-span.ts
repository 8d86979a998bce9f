/** A time during which somebody watched. */
export interface WatchedSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What was watched while the clock was ahead has not come yet. */
export function spansUntil(wallMs: number, spans: readonly WatchedSpan[]): WatchedSpan[] {
  return spans.flatMap(({ fromMs, toMs }) =>
    fromMs > wallMs ? [] : [{ fromMs, toMs: Math.min(toMs, wallMs) }],
  );
}

/** In the order in which they came; of the same beginning the longer counts. */
export function joinSpans(
  some: readonly WatchedSpan[],
  others: readonly WatchedSpan[],
): WatchedSpan[] {
  const ends = new Map<number, number>();
  for (const { fromMs, toMs } of [...some, ...others]) {
    const endMs = Math.max(toMs, ends.get(fromMs) ?? fromMs);
    ends.delete(fromMs);
    ends.set(fromMs, endMs);
  }
  return [...ends].map(([fromMs, toMs]) => ({ fromMs, toMs }));
}
