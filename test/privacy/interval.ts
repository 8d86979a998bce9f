/** Where a share is in 95 of 100 such runs: Wilson's interval. */
export function intervalOf(hits: number, of: number): [number, number] {
  const z = 1.96;
  const share = hits / of;
  const middle = (share + z ** 2 / (2 * of)) / (1 + z ** 2 / of);
  const spread =
    (z / (1 + z ** 2 / of)) * Math.sqrt((share * (1 - share)) / of + z ** 2 / (4 * of ** 2));
  return [middle - spread, middle + spread];
}
