/** A deliberate mistake in the core: one text of one file, which occurs there once, for another. */
export interface Mutant {
  readonly name: string;
  /** Below `relay/`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** The seed that is tried first: it has shown this mistake before. */
  readonly seed: number;
}

export const mutant = (
  seed: number,
  name: string,
  file: string,
  find: string,
  replace: string,
): Mutant => ({ seed, name, file, find, replace });
