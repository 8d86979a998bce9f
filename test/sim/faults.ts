/** How badly the world behaves. Shares are from 0 to 1. */
export interface Faults {
  readonly lossShare: number;
  readonly duplicateShare: number;
  /** A delivery takes between nothing and this, so later ones overtake earlier ones. */
  readonly delayMsMax: number;
  /** Whether frames of a link keep their order, as they do over gRPC. */
  readonly ordered: boolean;
  /** A write fails, and nothing of it is stored. */
  readonly writeFailureShare: number;
  /** The process dies right after a write, before anything that depends on it. */
  readonly crashAfterWriteShare: number;
}

export const calm: Faults = {
  lossShare: 0,
  duplicateShare: 0,
  delayMsMax: 5,
  ordered: true,
  writeFailureShare: 0,
  crashAfterWriteShare: 0,
};
