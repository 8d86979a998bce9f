/**
 * A shorter input that still does it: parts are left out, from halves down to single bytes.
 * Bounded in tries, so that a slow one does not take for ever.
 */
export async function shrink(
  input: Uint8Array,
  stillDoes: (input: Uint8Array) => Promise<boolean>,
  triesMax: number = 400,
): Promise<Uint8Array> {
  let best = input;
  let tries = 0;
  for (let size = Math.ceil(best.length / 2); size >= 1 && tries < triesMax; ) {
    let isShorter = false;
    for (let from = 0; from < best.length && tries < triesMax; tries++) {
      const shorter = new Uint8Array(
        Buffer.concat([best.subarray(0, from), best.subarray(from + size)]),
      );
      if (await stillDoes(shorter)) {
        best = shorter;
        isShorter = true;
      } else from += size;
    }
    if (!isShorter) size = size === 1 ? 0 : Math.ceil(size / 2);
  }
  return best;
}
