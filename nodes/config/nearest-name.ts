/** No name is longer. What comes after would only cost time, with each of the candidates. */
const comparedLengthMax = 100;

/**
 * The candidate that needs the fewest edits to become the text, or the beginning of a text that is
 * too long for a name; undefined without candidates.
 */
export function nearestName(text: string, candidates: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let distanceMin = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const distance = editDistance(text.slice(0, comparedLengthMax), candidate);
    if (distance >= distanceMin) continue;
    distanceMin = distance;
    nearest = candidate;
  }
  return nearest;
}

/** Levenshtein's: insertions, deletions and replacements. */
function editDistance(left: string, right: string): number {
  let above = Array.from({ length: right.length + 1 }, (_, at) => at);
  for (const [row, unit] of left.split("").entries()) {
    const current = [row + 1];
    for (const [column, other] of right.split("").entries()) {
      const replaced = (above[column] ?? 0) + (unit === other ? 0 : 1);
      const inserted = (current[column] ?? 0) + 1;
      const deleted = (above[column + 1] ?? 0) + 1;
      current.push(Math.min(replaced, inserted, deleted));
    }
    above = current;
  }
  return above.at(-1) ?? 0;
}
