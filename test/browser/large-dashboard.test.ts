import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NodeProcess } from "../../scripts/demo/node-process.ts";
import { launchedChromium } from "./chromium.ts";
import { tokenOf } from "./dashboard-scene.ts";

const flagsCount = 3_000;
const nameOf = (at: number): string => `flag-${String(at).padStart(5, "0")}`;

let root: NodeProcess;

beforeAll(async () => {
  root = await NodeProcess.start("upstream");
  for (const project of ["horizon", "nova"]) await root.do(["init", project]);
  const flags = Object.fromEntries(
    Array.from({ length: flagsCount }, (_, at) => [nameOf(at), { percent: 7 }]),
  );
  const last = { percent: 40, versions: ">=2.4.0" };
  const horizon = { flags: { ...flags, [nameOf(flagsCount)]: last }, releases: ["2.3.0", "2.4.0"] };
  const files = { horizon, nova: { flags: { "only-here": { percent: 3 } } } };
  for (const [project, file] of Object.entries(files))
    await root.do(["apply", "-f", "-", "--yes"], JSON.stringify({ project, ...file }));
}, 180_000);
afterAll(async () => root?.[Symbol.asyncDispose]());

async function openPage(context: Parameters<typeof launchedChromium>[0]): Promise<{
  page: Page;
  calls: string[];
}> {
  const browser = await launchedChromium(context);
  const page = await browser.newPage();
  page.setDefaultTimeout(40_000);
  const calls: string[] = [];
  page.on("request", (request) => {
    const method = new URL(request.url()).pathname.split("/").at(-1) ?? "";
    calls.push(`${method} ${request.postData() ?? ""}`);
  });
  await page.goto(`http://${root.admin}/#token=${tokenOf(root)}`);
  await page.getByText("live", { exact: true }).waitFor();
  return { page, calls };
}

test("of thousands of flags the first are drawn, and search finds the others, explained", async (context) => {
  const { page, calls } = await openPage(context);
  expect(await page.locator("ul.flags > li").count()).toBe(100);
  await page.getByText(`the first 100 of ${flagsCount + 1}: search finds the others`).waitFor();
  expect(calls.filter((call) => call.startsWith("Explain"))).toHaveLength(100);
  await page.getByLabel("Search flags").fill(nameOf(flagsCount));
  const row = page.getByRole("button", { name: new RegExp(nameOf(flagsCount)) });
  await row.getByText("rollout", { exact: true }).waitFor();
  await page.getByRole("status").getByText("1 flag found.").waitFor();
  await row.click();
  await page.getByRole("dialog").getByText("for builds of 2.4.0").waitFor();
  expect(await page.getByRole("dialog").innerText()).toContain("40 %");
}, 90_000);

test("of several projects, the one that is shown is asked for", async (context) => {
  const { page, calls } = await openPage(context);
  expect(calls.filter((call) => call.includes("nova"))).toEqual([]);
  await page.getByLabel("Project").selectOption("nova");
  await page
    .getByRole("button", { name: /only-here/ })
    .getByText("3 %")
    .first()
    .waitFor();
  await page.getByLabel("Project").selectOption("horizon");
  await page.getByRole("button", { name: new RegExp(nameOf(0)) }).waitFor();
  expect(await page.getByRole("button", { name: /only-here/ }).count()).toBe(0);
}, 90_000);

test("of two releases that are chosen one after the other, the later is shown", async (context) => {
  const { page } = await openPage(context);
  await page.getByLabel("Search flags").fill(nameOf(flagsCount));
  const row = page.getByRole("button", { name: new RegExp(nameOf(flagsCount)) });
  await row.getByText("rollout", { exact: true }).waitFor();
  // The node's answer to the first choice is on its way for longer than that to the second.
  let hasOldAnswer = Promise.resolve();
  await page.route("**/Explain", async (route) => {
    if (!(route.request().postData() ?? "").includes("2.3.0")) return route.continue();
    let arrived = (): void => undefined;
    hasOldAnswer = new Promise((resolve) => {
      arrived = resolve;
    });
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    await route.continue();
    arrived();
  });
  const release = page.getByLabel("for builds of");
  await release.selectOption("2.3.0");
  await release.selectOption("2.4.0");
  await row.getByText("rollout", { exact: true }).waitFor();
  await hasOldAnswer;
  await page.waitForTimeout(500);
  expect(await release.inputValue()).toBe("2.4.0");
  expect(await row.innerText()).toContain("rollout");
}, 90_000);
