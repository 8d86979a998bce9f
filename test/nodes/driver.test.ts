import { expect, onTestFinished, test } from "vitest";
import { Driver } from "../../nodes/driver.ts";
import { minuteMs } from "../../relay/cadence.ts";
import { epochMs } from "../relay/authority.ts";
import { SteppedNode } from "../relay/stepped-node.ts";
import { MemoryStore } from "../sim/memory-store.ts";
import { LogLines } from "./http/log-lines.ts";

const unused = (): never => {
  throw new Error("nothing is to be sent here");
};

/** A node that is connected to nothing, on a clock of the test. */
function startedDriver() {
  const { settings } = new SteppedNode();
  const clock = { wallMs: epochMs, monoMs: 0 };
  const log = new LogLines();
  const store = new MemoryStore();
  const driver = new Driver({ settings, store, clock: { now: () => ({ ...clock }) }, log });
  onTestFinished(() => driver.stop());
  driver.start({
    server: { send: unused, close: unused },
    client: {
      dial: unused,
      hangUp: unused,
      submitDocument: unused,
      confirm: unused,
      giveBack: unused,
    },
    fanout: { publish: unused, ask: unused },
  });
  return { driver, clock };
}

test("a node whose rhythms are no longer kept says so, until they are", () => {
  const { driver, clock } = startedDriver();
  expect(driver.ailment).toBeUndefined();
  clock.monoMs += 24 * 60 * minuteMs;
  expect(driver.ailment).toMatch(/^its rhythms are \d+.* late$/);
  driver.tell({ kind: "tick" });
  expect(driver.ailment).toBeUndefined();
});

test("a node that fails at some events is well, and one that fails at all for a minute is not", () => {
  const { driver, clock } = startedDriver();
  const fail = (): void => driver.tell({ kind: "peer-asked", call: 1 } as never);
  for (let n = 0; n < 1_000; n++) fail();
  expect(driver.ailment).toBeUndefined();
  clock.monoMs += minuteMs / 2;
  driver.tell({ kind: "tick" });
  fail();
  clock.monoMs += minuteMs / 2;
  fail();
  expect(driver.ailment).toBeUndefined();
  clock.monoMs += minuteMs / 2;
  expect(driver.ailment).toMatch(/^no event could be dealt with for 1m/);
});
