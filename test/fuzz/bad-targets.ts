import { type Attempt, type Target, textBytes, textOf } from "./target.ts";

const never = new Promise<never>(() => {});

/** What becomes of a thread, by the name of the target that does it. */
const misdeeds: Readonly<Record<string, Attempt>> = {
  hangs: () => {
    for (;;);
  },
  "takes memory without end": () => {
    const held: number[][] = [];
    for (;;) held.push(Array.from({ length: 1_000 }, (_, n) => n));
  },
  /** A thread with nothing left to do ends. */
  "waits for what never comes": () => never,
  "throws when nobody listens": () => {
    setImmediate(() => {
      throw new Error("nobody listens");
    });
    return never;
  },
};

/** Targets that do to their thread what no input may bring about: to see whether it is noticed. */
export function targetOf(name: string): Target {
  return {
    name,
    form: "text",
    share: 1,
    seeds: () => ["good", "bad"].map(textBytes),
    open: () => (input) =>
      textOf(input) === "bad" ? (misdeeds[name]?.(input) ?? "refused") : "accepted",
  };
}
