import { expect, it } from "vitest";
import { openFakeAdmin } from "./fake-admin.ts";

const fleet = {
  project: "horizon",
  weights: {
    releases: [
      { name: "2.2.0", basisPoints: 2000 },
      { name: "2.3.0", basisPoints: 7999 },
      { name: "2.3.5", basisPoints: 0 },
      { name: "other", basisPoints: 1 },
    ],
    degraded: [{ name: "2.3.0", basisPoints: 500 }],
    failed: [{ name: "2.3.0", basisPoints: 0 }],
    flags: [{ name: "new-scheduler", basisPoints: 10_000 }],
    crashes: [{ name: "deadbeef", basisPoints: 500 }],
  },
  health: {
    releases: [
      { release: "2.2.0", judgement: 1 },
      { release: "2.3.0", judgement: 3 },
      { release: "2.3.5", judgement: 0 },
    ],
    flags: [{ flag: "new-scheduler", judgement: 2 }],
    arrival: { term: 1, seq: 7, basisPoints: 9500 },
  },
  reportersCount: 12,
  releasesOnlyCount: 0,
  own: true,
  windowsOldMax: 1,
  instancesCount: 340,
  crashes: [
    { signature: "deadbeef", instancesCount: 17, listed: true },
    { signature: "01234567", instancesCount: 1, listed: false },
  ],
};

it("shows bars, weights and verdicts, and how complete they are", async () => {
  const { terminal } = await openFakeAdmin({ fleet: { getFleet: () => fleet } });
  const { code, stdout } = await terminal.run("fleet", "horizon");
  expect(code).toBe(0);
  await expect(`${stdout}\n`).toMatchFileSnapshot("fleet.txt");
});

it("fits a narrow terminal", async () => {
  const { terminal } = await openFakeAdmin({ fleet: { getFleet: () => fleet } });
  terminal.columnsCount = 40;
  const { stdout } = await terminal.run("fleet", "horizon");
  const bars = stdout.split("\n").filter((line) => /[█▏▎▍▌▋▊▉]/.test(line));
  expect(bars.length).toBeGreaterThan(0);
  for (const line of bars) expect(line.length).toBeLessThanOrEqual(40);
});

it("says of what nothing is known, where sites say only their most common release", async () => {
  const weights = { releases: fleet.weights.releases, releasesOnly: 1 };
  const small = { ...fleet, weights, releasesOnlyCount: 11 };
  const { terminal } = await openFakeAdmin({ fleet: { getFleet: () => small } });
  const { stdout } = await terminal.run("fleet", "horizon");
  expect(stdout).toContain("; of 11 of them only the most common release is known;");
  expect(stdout).toContain("not known  which flags are on, and how many are degraded");
});

it("ends with 4 while nobody has reported", async () => {
  const { terminal } = await openFakeAdmin({ fleet: { getFleet: () => ({ project: "horizon" }) } });
  expect(await terminal.run("fleet", "horizon")).toEqual({
    code: 4,
    stdout: "horizon: nobody has reported yet",
    stderr: "",
  });
  expect(await terminal.run("fleet", "horizon", "--json")).toMatchObject({ code: 4 });
});

it("answers machines", async () => {
  const { terminal } = await openFakeAdmin({ fleet: { getFleet: () => fleet } });
  expect(await terminal.json("fleet", "horizon")).toEqual(fleet);
});
