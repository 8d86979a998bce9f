import type { FlagTableChange } from "./flag-table.ts";

/** What a change of layers comes to. */
export interface ProjectChange {
  readonly changes: readonly FlagTableChange[];
  /** Whether a version may be taken for another release than before. */
  readonly vocabulary: boolean;
}

/** Of what is all as it was, whether anybody has a table of it or not. */
export const noChange: ProjectChange = { changes: [], vocabulary: false };
