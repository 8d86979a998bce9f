/** Inputs that found something in our own code, made short; in `found/`. All of it was mended. */
export const found: readonly { target: string; file: string; what: string }[] = [
  {
    target: "flag files",
    file: "long-name.yaml",
    what: "a problem repeated a name of eight thousand characters",
  },
  {
    target: "entries",
    file: "empty-key-twice.bin",
    what: "the refusal of a key that comes twice did not say what of",
  },
  {
    target: "stored records",
    file: "disclosure-no-text.bin",
    what: "a node did not start, and did not say which record it could not read",
  },
];
