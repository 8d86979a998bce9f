import { expect, test } from "vitest";
import { Admission } from "../../../nodes/mesh/admission.ts";
import { overloadRetryMs } from "../../../relay/cadence.ts";
import type { LogEntry } from "../../../relay/effect.ts";
import {
  meshBytesBurstMax,
  meshBytesPerSecondMax,
  meshCallsBurstMax,
  meshCallsPerSecondMax,
  meshCallsTotalBurstMax,
  meshCallsTotalPerSecondMax,
  meshDialsBurstMax,
  meshDialsPerSecondMax,
  meshDialsTotalBurstMax,
  meshDialsTotalPerSecondMax,
} from "../../../relay/limits.ts";

class Gate {
  nowMs = 0;
  readonly logged: LogEntry[] = [];
  readonly admission = new Admission({
    log: { write: (entry) => this.logged.push(entry) },
    nowMs: () => this.nowMs,
  });

  /** How many of so many calls are let in. */
  calls(address: string, count: number): number {
    const answers = Array.from({ length: count }, () => this.admission.call(address));
    return answers.filter((retryAfterMs) => retryAfterMs === undefined).length;
  }

  dials(address: string, count: number): number {
    const answers = Array.from({ length: count }, () => this.admission.connection(address));
    return answers.filter(Boolean).length;
  }

  /** Of so many askings by each of a hundred addresses. */
  ofAll(kind: "calls" | "dials", count: number): number {
    const addresses = Array.from({ length: 100 }, (_, n) => `198.51.100.${n}`);
    return addresses.reduce((sum, address) => sum + this[kind](address, count), 0);
  }
}

test("each address has a share of calls, and is told when to come again", () => {
  const gate = new Gate();
  expect(gate.calls("192.0.2.1", 2 * meshCallsBurstMax)).toBe(meshCallsBurstMax);
  expect(gate.admission.call("192.0.2.1")).toBe(overloadRetryMs);
  expect(gate.admission.call("192.0.2.2")).toBeUndefined();
  gate.nowMs += 1_000;
  expect(gate.admission.call("192.0.2.1")).toBeUndefined();
});

test("who is turned away because of all the others has its own share still", () => {
  const gate = new Gate();
  gate.ofAll("dials", meshDialsTotalBurstMax);
  expect(gate.dials("203.0.113.1", meshDialsBurstMax)).toBe(0);
  gate.nowMs += 1_000;
  expect(meshDialsTotalPerSecondMax).toBeGreaterThan(meshDialsPerSecondMax);
  expect(gate.dials("203.0.113.1", meshDialsBurstMax)).toBe(meshDialsTotalPerSecondMax);
});

test("all addresses together have another, which those past their own do not touch", () => {
  const gate = new Gate();
  gate.calls("192.0.2.0", 10 * meshCallsTotalBurstMax);
  const addresses = Array.from({ length: 40 }, (_, n) => `198.51.100.${n}`);
  const letIn = addresses.map((address) => gate.calls(address, meshCallsBurstMax));
  const total = letIn.reduce((sum, one) => sum + one, 0);
  expect(total).toBe(meshCallsTotalBurstMax - meshCallsBurstMax);
});

test("connections and bytes have bounds of their own", () => {
  const { admission } = new Gate();
  const open = Array.from({ length: meshDialsBurstMax + 1 }, () => admission.connection("::1"));
  expect(open.filter(Boolean)).toHaveLength(meshDialsBurstMax);
  expect(admission.bytes("::1", meshBytesBurstMax)).toBe(true);
  expect(admission.bytes("::1", 1)).toBe(false);
});

test("what an address has spent comes back by the second", () => {
  const gate = new Gate();
  const address = "192.0.2.1";
  gate.calls(address, meshCallsBurstMax);
  gate.dials(address, meshDialsBurstMax);
  gate.admission.bytes(address, meshBytesBurstMax);
  gate.nowMs += 1_000;
  expect(gate.calls(address, meshCallsPerSecondMax + 1)).toBe(meshCallsPerSecondMax);
  expect(gate.dials(address, meshDialsPerSecondMax + 1)).toBe(meshDialsPerSecondMax);
  expect(gate.admission.bytes(address, meshBytesPerSecondMax + 1)).toBe(false);
  expect(gate.admission.bytes(address, meshBytesPerSecondMax)).toBe(true);
});

test("and what all have spent together", () => {
  const gate = new Gate();
  expect(gate.ofAll("dials", meshDialsBurstMax)).toBe(meshDialsTotalBurstMax);
  expect(gate.ofAll("calls", meshCallsBurstMax)).toBe(meshCallsTotalBurstMax);
  gate.nowMs += 1_000;
  expect(gate.ofAll("dials", meshDialsPerSecondMax)).toBe(meshDialsTotalPerSecondMax);
  expect(gate.ofAll("calls", meshCallsPerSecondMax)).toBe(meshCallsTotalPerSecondMax);
});

test.each([
  ["::ffff:192.0.2.7", "192.0.2.7", true],
  ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true],
  ["2001:db8::1", "2001:db8:0:0:5::", true],
  ["2001:db8:1:2::1", "2001:db8:1:3::1", false],
])("%s and %s: one source is %s", (a, b, isOne) => {
  const gate = new Gate();
  gate.calls(a, meshCallsBurstMax);
  expect(gate.admission.call(b) !== undefined).toBe(isOne);
});

test("a flood is told of once a minute, with its extent and where it came from", () => {
  const gate = new Gate();
  gate.calls("192.0.2.1", meshCallsBurstMax + 500);
  gate.admission.bytes("192.0.2.1", 2 * meshBytesBurstMax);
  expect(gate.logged).toHaveLength(1);
  gate.nowMs += 60_000;
  gate.calls("192.0.2.9", meshCallsBurstMax + 1);
  expect(gate.logged).toHaveLength(2);
  expect(gate.logged[1]).toMatchObject({ level: "warn", event: "mesh-overload" });
  expect(gate.logged[1]?.message).toMatch(/500 calls, 1 floods, the last from 192\.0\.2\.9/);
});
