import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { mutants } from "./mutants.ts";
import { tryMutant } from "./mutation.ts";

/** Mistakes that few seeds show; `npm run sim -- --mutants` makes all of them. */
const quick = [
  "take a head that nobody has signed",
  "show a change before it is durable",
  "forget a tombstone",
  "drop a layer from the fold",
];

describe("mutants", () => {
  test("are many, each of its own name", () => {
    expect(mutants.length).toBeGreaterThanOrEqual(30);
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  });

  test("are written for the core as it is: each text is there once", () => {
    const counts = mutants.map(({ name, file, find }) => {
      const text = readFileSync(new URL(`../../relay/${file}`, import.meta.url), "utf8");
      return [name, text.split(find).length - 1] as const;
    });
    expect(counts.filter(([, count]) => count !== 1)).toEqual([]);
  });

  test.each(quick)(
    "the simulator catches: %s",
    async (name) => {
      const mutant = mutants.find((one) => one.name === name);
      const caught = await tryMutant({ mutant: mutant!, seedsMax: 60 });
      expect(caught).toEqual({ seed: expect.any(Number), by: expect.stringMatching(/^[IU]\d+$/) });
    },
    600_000,
  );

  test("an altered core is only that of its own thread, and one whose text is not there fails", async () => {
    const mutant = { seed: 1, name: "nothing", file: "node.ts", find: "no such text", replace: "" };
    await expect(tryMutant({ mutant, seedsMax: 1 })).rejects.toThrow(/occurs 0 times in node.ts/);
  });
});
