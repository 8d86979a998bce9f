import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import process from "node:process";
import { expect, test } from "vitest";

const demo = resolve(import.meta.dirname, "../../scripts/demo.ts");

test("npm start -- --once tells the whole tour and ends with 0", async () => {
  const child = spawn(process.execPath, [demo, "--once"], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data: Buffer) => (said += data.toString()));
  const [code] = (await once(child, "close")) as [number];
  expect({ code, said }).toMatchObject({ code: 0 });
  for (const step of ["ramped", "killed", "rollout history", "Telemetry goes up", "root is gone"])
    expect(said).toContain(step);
  expect(said).toMatch(/p50 [\d.]+ ms, p99 [\d.]+ ms/);
}, 120_000);

test("an unknown option is refused, and --help shows an example", async () => {
  const help = spawn(process.execPath, [demo, "--help"], { stdio: ["ignore", "pipe", "ignore"] });
  let said = "";
  help.stdout.on("data", (data: Buffer) => (said += data.toString()));
  expect(await once(help, "close")).toEqual([0, null]);
  expect(said).toContain("npm start -- --once");
  const wrong = spawn(process.execPath, [demo, "--twice"], { stdio: "ignore" });
  const [code] = (await once(wrong, "close")) as [number];
  expect(code).not.toBe(0);
});
