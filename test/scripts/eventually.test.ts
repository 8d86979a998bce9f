import { expect, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";

test("however short its time, it asks once", async () => {
  expect(await eventually("what is there", () => "there", 0)).toBe("there");
});

test("what stays away is named, with the last reason", async () => {
  const absent = (): never => {
    throw new Error("nobody is there");
  };
  await expect(eventually("who answers", absent, 60)).rejects.toThrow(
    "not within 60 ms: who answers; nobody is there",
  );
});
