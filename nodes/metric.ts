/** What the parts of a process count that the node does not: name, what it is, its value now. */
export interface Count {
  readonly name: string;
  readonly help: string;
  readonly kind: "gauge" | "counter";
  readonly read: () => number;
}

/** The same for several of a kind, told apart by a label of few values. */
export interface LabelledCounter {
  readonly name: string;
  readonly help: string;
  readonly label: string;
  readonly read: () => ReadonlyMap<string, number>;
}
