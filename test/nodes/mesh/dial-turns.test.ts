import dns from "node:dns";
import { expect, onTestFinished, test, vi } from "vitest";
import { DialTurns } from "../../../nodes/mesh/dial-turns.ts";
import { addressesCountMax, upstreamsCountMax } from "../../../relay/limits.ts";

test("of addresses that a parent names anew again and again, only so many are remembered", async () => {
  const found = ["192.0.2.1", "192.0.2.2"].map((address) => ({ address, family: 4 }));
  const asked = vi.spyOn(dns.promises, "lookup").mockResolvedValue(found as never);
  onTestFinished(() => asked.mockRestore());
  const turns = new DialTurns();
  turns.failed("old.example:7000", true);
  for (let n = 1; n < upstreamsCountMax * addressesCountMax; n++)
    turns.failed(`node-${n}.example:7000`, true);
  turns.failed("old.example:7000", false);
  expect(turns.next("old.example:7000")).toBeDefined();
  turns.failed("new.example:7000", true);
  expect(turns.next("node-1.example:7000")).toBeUndefined();
  expect(turns.next("old.example:7000")).toBeDefined();
  expect(await turns.next("new.example:7000")).toBe("192.0.2.2:7000");
});
