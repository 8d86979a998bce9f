import { expect, test } from "vitest";
import { loaded, put, storeContract } from "../nodes/store/store-contract.ts";
import { MemoryStore } from "./memory-store.ts";

storeContract(() => new MemoryStore());

test("writes nothing while it is full", () => {
  const store = new MemoryStore();
  store.write([put("pin", "a", "1")]);
  store.isFull = true;
  expect(() => store.write([put("pin", "a", "2")])).toThrow(
    expect.objectContaining({ kind: "unavailable" }),
  );
  store.isFull = false;
  expect(loaded(store)).toEqual([["pin", "a", "1"]]);
});
