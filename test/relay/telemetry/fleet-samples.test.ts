import { fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { FleetSampleSchema } from "../../../gen/headwater/v1/fleet_pb.ts";
import { minuteMs, secondMs } from "../../../relay/cadence.ts";
import { FleetSamples } from "../../../relay/telemetry/fleet-samples.ts";

const hourMs = 60 * minuteMs;

test("a fleet is sampled once a window, and only if somebody reports", () => {
  let reportersCount = 0;
  const fleet = { weights: { releases: [{ name: "2.3.0", basisPoints: 9_000 }] } };
  const samples = new FleetSamples(minuteMs, () => ({ ...fleet, reportersCount }) as never);
  const due = (wallMs: number) => samples.due([{ name: "horizon" }] as never, wallMs);
  expect(due(0)).toEqual([]);
  reportersCount = 3;
  expect(due(1)).toEqual([]);
  const [write] = due(minuteMs);
  expect(write).toMatchObject({ bucket: "sample", key: "horizon/000000000000001" });
  expect(fromBinary(FleetSampleSchema, write!.value!)).toMatchObject({
    atMs: BigInt(minuteMs),
    reportersCount: 3,
    weights: { releases: [{ name: "2.3.0", basisPoints: 9_000 }] },
  });
  expect(due(2 * minuteMs - 1)).toEqual([]);
  expect(due(2 * minuteMs)).toHaveLength(1);
});

test("not all projects are sampled at once: each is within a minute, and a few at a time", () => {
  const projects = Array.from({ length: 300 }, (_, n) => ({ name: `p${n}` }));
  const samples = new FleetSamples(hourMs, () => ({ weights: {}, reportersCount: 1 }) as never);
  for (const startMs of [hourMs, 2 * hourMs]) {
    const ticks = Array.from({ length: 60 }, (_, second) =>
      samples.due(projects as never, startMs + second * secondMs),
    );
    expect(Math.max(...ticks.map(({ length }) => length))).toBe(5);
    expect(new Set(ticks.flat().map(({ key }) => key)).size).toBe(300);
  }
});
