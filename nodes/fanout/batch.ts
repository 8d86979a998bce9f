/**
 * Items in order, in batches whose sizes add up to at most a bound; an item that is larger itself
 * is a batch of its own. Of no items, one empty batch.
 */
export function* batchesOf<T>(of: {
  items: readonly T[];
  bytesOf: (item: T) => number;
  bytesMax: number;
}): Generator<readonly T[]> {
  let batch: T[] = [];
  let batchBytes = 0;
  for (const item of of.items) {
    const bytes = of.bytesOf(item);
    if (batch.length > 0 && batchBytes + bytes > of.bytesMax) {
      yield batch;
      [batch, batchBytes] = [[], 0];
    }
    batch.push(item);
    batchBytes += bytes;
  }
  yield batch;
}
