/** How often something has happened, out of how many. */
export interface Hits {
  readonly hits: number;
  readonly of: number;
}

/**
 * The chance that chance alone puts so many of all hits, or more, on this side, if both sides are
 * alike: Fisher's exact test, one-sided (R. A. Fisher, Statistical Methods for Research Workers,
 * 21.02). It holds also where a handful of hits makes the usual z-score call any single one
 * significant.
 */
export function fisherTail(side: Hits, other: Hits): number {
  const allHits = side.hits + other.hits;
  const all = side.of + other.of;
  const first =
    lnChoose(allHits, side.hits) +
    lnChoose(all - allHits, side.of - side.hits) -
    lnChoose(all, side.of);
  const last = Math.min(allHits, side.of);
  return tail(Math.exp(first), side.hits, last, (k) => {
    const [up, down] = [(side.of - k) * (allHits - k), (k + 1) * (all - side.of - allHits + k + 1)];
    return up / down;
  });
}

/** The chance of so many hits or more, when each of `of` is one with chance `share`. */
export function binomialTail({ hits, of }: Hits, share: number): number {
  if (share >= 1 || hits === 0) return 1;
  if (share <= 0) return 0;
  const first = lnChoose(of, hits) + hits * Math.log(share) + (of - hits) * Math.log1p(-share);
  const odds = share / (1 - share);
  return tail(Math.exp(first), hits, of, (k) => ((of - k) / (k + 1)) * odds);
}

/** Sum of terms from `from` to `to`; `ratio(k)` is the term of k + 1 by that of k. */
function tail(first: number, from: number, to: number, ratio: (k: number) => number): number {
  let [term, sum] = [first, 0];
  for (let k = from; k <= to && term > 0; k++) {
    sum += term;
    const next = term * ratio(k);
    if (next < term && next < 1e-12 * sum) break;
    term = next;
  }
  return Math.min(1, sum);
}

/** Natural logarithm of the count of ways to choose `k` of `n`. */
function lnChoose(n: number, k: number): number {
  return lnFactorial(n) - lnFactorial(k) - lnFactorial(n - k);
}

/** Stirling's series, NIST Digital Library of Mathematical Functions, 5.11.1; exact below 16. */
function lnFactorial(n: number): number {
  if (n < 16) {
    let product = 1;
    for (let factor = 2; factor <= n; factor++) product *= factor;
    return Math.log(product);
  }
  const series = 1 / (12 * n) - 1 / (360 * n ** 3) + 1 / (1260 * n ** 5);
  return n * Math.log(n) - n + Math.log(2 * Math.PI * n) / 2 + series;
}
