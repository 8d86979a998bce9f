/** What is wrong with the end of something that begins now; undefined for one, and for 0: never. */
export function expiryProblem(of: { expiresMs: number; nowMs: number }): string | undefined {
  const { expiresMs, nowMs } = of;
  if (expiresMs === 0) return undefined;
  if (expiresMs > Number.MAX_SAFE_INTEGER) return "expires_ms: further away than can be told";
  return expiresMs <= nowMs ? "expires_ms: is over already, by this node's clock" : undefined;
}
