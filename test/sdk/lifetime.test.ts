import { spawn } from "node:child_process";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test, vi } from "vitest";
import { readCache } from "../../sdk/cache-file.ts";
import { nodeFiles } from "../../sdk/node-files.ts";
import { cacheFile } from "./open-client.ts";
import { SmallNode } from "./small-node.ts";

vi.setConfig({ testTimeout: 60_000 });

const sdk = pathToFileURL(new URL("../../sdk/index.ts", import.meta.url).pathname).href;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that uses the library, and nothing else; it has the time of the test to end. */
async function run(body: string, url: string): Promise<Ended> {
  const text = `import { connect } from ${JSON.stringify(sdk)};\n${body}`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", text], {
    env: { ...process.env, HEADWATER_URL: url, HEADWATER_PROJECT: "horizon", NODE_OPTIONS: "" },
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => (output.stdout += String(chunk)));
  child.stderr.on("data", (chunk) => (output.stderr += String(chunk)));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, ...output };
}

test("a program ends by itself, though its flags are still open", async () => {
  await using node = await SmallNode.start({ table: { on: 10_000 }, at: "one" });
  const ended = await run(
    `const flags = await connect();
     console.log(flags.enabled("on"), flags.ready);`,
    node.url,
  );
  expect(ended).toEqual({ code: 0, stdout: "true true\n", stderr: "" });
});

test("a program that ends at once has kept its flags for the next start", async () => {
  await using node = await SmallNode.start({ table: { on: 10_000 }, at: "one" });
  const path = await cacheFile();
  const open = `await connect({ cacheFile: ${JSON.stringify(path)}, version: "2.3.0" });`;
  expect(await run(open, node.url)).toMatchObject({ code: 0, stderr: "" });
  expect((await readCache(nodeFiles, path))?.flags).toMatchObject([{ basisPoints: 10_000 }]);
  node.first = { table: { on: 0 }, at: "two" };
  expect(await run(open, node.url)).toMatchObject({ code: 0, stderr: "" });
  expect((await readCache(nodeFiles, path))?.flags).toMatchObject([{ basisPoints: 0 }]);
});

test("a program without a node gets its defaults in time, and ends", async () => {
  const ended = await run(
    `const flags = await connect({ waitMs: 200 });
     console.log(flags.enabled("on", { default: true }), flags.ready);`,
    "http://127.0.0.1:9",
  );
  expect(ended).toEqual({ code: 0, stdout: "true false\n", stderr: "" });
});

test("closing leaves nothing open", async () => {
  await using node = await SmallNode.start({ table: { on: 10_000 }, at: "one" });
  const ended = await run(
    `const before = process.getActiveResourcesInfo().length;
     const flags = await connect();
     flags.enabled("on");
     await flags.close();
     await new Promise((resolve) => setImmediate(resolve));
     const open = process.getActiveResourcesInfo().filter((name) => /TCP|Timeout|FS/.test(name));
     console.log(JSON.stringify(open));`,
    node.url,
  );
  expect(ended).toEqual({ code: 0, stdout: "[]\n", stderr: "" });
  expect(node.reports.at(-1)?.flags).toMatchObject([{ name: "on", active: true }]);
});

test("a program that outlives its node is not disturbed", async () => {
  await using node = await SmallNode.start({ table: { on: 10_000 }, at: "one" });
  const ended = run(
    `const flags = await connect();
     flags.on("freshness", () => {});
     while (flags.problems.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
     console.log(flags.enabled("on"), flags.freshness);
     flags.health("FAILED");
     await flags.close();`,
    node.url,
  );
  await vi.waitFor(() => expect(node.streamsCount).toBe(1), { timeout: 30_000 });
  await node.stop();
  expect(await ended).toEqual({ code: 0, stdout: "true FRESH\n", stderr: "" });
});
