import { once } from "node:events";
import { cpSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../nodes/store/temporary-directory.ts";
import { startScript } from "./script-run.ts";

const scripts = join(import.meta.dirname, "../../scripts");

test("steps that can not even begin fail, and all others and the counts are still told", async () => {
  const dir = temporaryDirectory();
  for (const file of ["check.ts", "dependency-audit.ts", "bundled.ts"])
    cpSync(join(scripts, file), join(dir, "scripts", file));
  const check = join(dir, "scripts/check.ts");
  const run = startScript([process.execPath, check, "--tests-from", join(dir, "no-report.json")]);
  expect(await once(run.child, "close")).toEqual([1, null]);
  expect(run.said()).toMatch(/no-report\.json.*\ncheck: tests: FAILED/);
  expect(run.said()).toMatch(/check: generated code: FAILED.*\n0 passed, 9 failed\n$/);
});
