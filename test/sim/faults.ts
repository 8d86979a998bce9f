/** How badly the world behaves all the time. Shares are from 0 to 1. */
export interface Faults {
  /** Of frames on links. */
  readonly lossShare: number;
  readonly duplicateShare: number;
  readonly reorderShare: number;
  readonly truncateShare: number;
  /** Frames with fields of a newer protocol. */
  readonly unknownFieldsShare: number;
  /** A delivery takes between nothing and this. */
  readonly delayMsMax: number;
  /** A timer fires up to this late. */
  readonly tickLagMsMax: number;
  /** Of messages between the nodes of a site. */
  readonly natsLossShare: number;
  readonly natsDuplicateShare: number;
  readonly natsDelayMsMax: number;
  /** A write fails, and nothing of it is stored. */
  readonly writeFailureShare: number;
  /** The process dies in a write, of which nothing is stored. */
  readonly tornWriteShare: number;
  /** The process dies right after a write, before anything that depends on it. */
  readonly crashAfterWriteShare: number;
  /** The process dies before any one effect. */
  readonly crashAtEffectShare: number;
}

export const calm: Faults = {
  lossShare: 0,
  duplicateShare: 0,
  reorderShare: 0,
  truncateShare: 0,
  unknownFieldsShare: 0,
  delayMsMax: 5,
  tickLagMsMax: 0,
  natsLossShare: 0,
  natsDuplicateShare: 0,
  natsDelayMsMax: 5,
  writeFailureShare: 0,
  tornWriteShare: 0,
  crashAfterWriteShare: 0,
  crashAtEffectShare: 0,
};
