import { execFile } from "node:child_process";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import process from "node:process";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { parseFlagFile } from "../../nodes/cli/file/flag-file.ts";
import {
  type CommandResult,
  cleanEnvironment,
  NodeProcess,
} from "../../scripts/demo/node-process.ts";
import { temporaryDirectory } from "../nodes/store/temporary-directory.ts";

const rootDir = resolve(import.meta.dirname, "../..");
const page = readFileSync(join(rootDir, "docs/flags-in-git.md"), "utf8");
const [flagFile = "", pipeline = ""] = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(
  ([, text = ""]) => text,
);

interface Workflow {
  jobs: Record<"check" | "apply", { steps: { run?: string }[] }>;
}

/** What a runner would run for a job. */
function scriptOf(job: "check" | "apply"): string {
  const { steps } = (parse(pipeline) as Workflow).jobs[job];
  return steps.flatMap(({ run }) => run ?? []).join("\n");
}

test("the pipeline checks a change, applies it after the merge, and lifts no kill", async () => {
  expect(parseFlagFile({ path: "flags.yaml", text: flagFile })).toHaveProperty("file");
  await using root = await NodeProcess.start("upstream");
  await root.do(["init", "horizon"]);
  const look = (await root.do(["token", "add", "check", "--scope", "read"])).trim();
  const token = (await root.do(["token", "add", "ci", "--scope", "flags"])).trim();
  const directory = temporaryDirectory();
  // `npx headwater` in a checkout is this file.
  symlinkSync(join(rootDir, "scripts/headwater.mjs"), join(directory, "headwater"));
  const run = (job: "check" | "apply", file: string, commit: string): Promise<CommandResult> => {
    writeFileSync(join(directory, "flags.yaml"), file);
    const env = {
      ...cleanEnvironment(),
      PATH: [directory, join(process.execPath, ".."), process.env["PATH"]].join(delimiter),
      GITHUB_SHA: commit,
      HEADWATER_ADMIN_URL: `http://${root.admin}`,
      HEADWATER_ADMIN_TOKEN: job === "check" ? look : token,
    };
    const script = scriptOf(job).replaceAll("npx headwater", "headwater");
    return new Promise((done) => {
      const options = { cwd: directory, env, timeout: 60_000 };
      execFile("bash", ["-e", "-c", script], options, (error, stdout, stderr) => {
        done({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      });
    });
  };
  const first = "8d3f0c1a2b4e5f60718293a4b5c6d7e8f9010203";
  expect(await run("check", flagFile, first)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("changes: 4"),
  });
  expect((await run("apply", flagFile, first)).code).toBe(0);
  expect(await run("check", flagFile, first)).toMatchObject({
    code: 0,
    stdout: "changes: 0\n",
  });
  expect(await root.do(["flag", "history", "horizon/new-scheduler"])).toContain("8d3f0c1a2b4e");

  await root.do(["flag", "kill", "horizon/fast-path", "--note", "hangs"]);
  const second = "1f2e3d4c5b6a79880716253443526170ffeeddcc";
  for (const job of ["check", "apply"] as const)
    expect(await run(job, flagFile, second)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("this would lift the kill of fast-path"),
    });
  expect(await root.do(["flag", "get", "horizon/fast-path"])).toContain("every build");
  const broken = flagFile.replace("percent: 5,", "percent: 500,");
  expect(await run("check", broken, second)).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/flags\.yaml:4:\d+/),
  });
}, 300_000);
