/** Something that the tour claims and that did not happen. */
export class TourFailure extends Error {}

/** @throws TourFailure with `otherwise`, unless it is so */
export function claim(isSo: boolean, otherwise: string): asserts isSo {
  if (!isSo) throw new TourFailure(otherwise);
}
