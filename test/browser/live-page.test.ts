import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NodeProcess } from "../../scripts/demo/node-process.ts";
import { launchedChromium } from "./chromium.ts";
import { tokenOf } from "./dashboard-scene.ts";

let root: NodeProcess;

beforeAll(async () => {
  root = await NodeProcess.start("upstream");
  for (const project of ["horizon", "nova"]) await root.do(["init", project]);
  await root.do(["flag", "set", "nova/fast-path", "5%", "--note", "see #1"]);
  await root.do(["flag", "set", "nova/wide-path", "7%"]);
}, 180_000);
afterAll(async () => root?.[Symbol.asyncDispose]());

/** The page at a flag of the second project, found by search. */
async function openFlag(context: Parameters<typeof launchedChromium>[0]): Promise<Page> {
  const browser = await launchedChromium(context);
  const page = await browser.newPage();
  page.setDefaultTimeout(40_000);
  await page.goto(`http://${root.admin}/#token=${tokenOf(root)}`);
  await page.getByText("live", { exact: true }).waitFor();
  await page.getByLabel("Project").selectOption("nova");
  await page.getByLabel("Search flags").fill("#1");
  await page.getByRole("button", { name: /fast-path/ }).click();
  await page.getByRole("dialog", { name: "Flag nova/fast-path" }).waitFor();
  return page;
}

function percent(page: Page): Locator {
  return page.getByRole("textbox", { name: "Percentage", exact: true });
}

test("a node that starts anew beneath the page is told of, and leaves the reader where they were", async (context) => {
  const page = await openFlag(context);
  const panel = page.getByRole("dialog", { name: "Flag nova/fast-path", exact: true });
  await percent(page).fill("33");
  await root.kill();
  await page.getByText("not reached", { exact: true }).waitFor();
  await page.getByText("The node does not answer. What is shown is what it last said").waitFor();
  await root.restart();
  await page.getByText("live", { exact: true }).waitFor();
  expect(await percent(page).inputValue()).toBe("33");
  expect(await page.getByLabel("Search flags").inputValue()).toBe("#1");
  await panel.getByRole("button", { name: "Set", exact: true }).click();
  await page.getByRole("button", { name: "Change it", exact: true }).click();
  await panel.getByText("33 %").first().waitFor();
  expect(await root.do(["flag", "get", "nova/fast-path"])).toContain("33 %");
}, 120_000);

test("a node that says nothing any more is told of as one that is gone", async (context) => {
  const page = await openFlag(context);
  root.signal("SIGSTOP");
  try {
    await page.getByText("not reached", { exact: true }).waitFor();
  } finally {
    root.signal("SIGCONT");
  }
  await page.getByText("live", { exact: true }).waitFor();
  expect(await page.getByRole("alert").count()).toBe(0);
}, 120_000);

test("where somebody else was faster, the same is asked again of what there is now", async (context) => {
  await root.do(["flag", "set", "nova/fast-path", "5%"]);
  const page = await openFlag(context);
  const panel = page.getByRole("dialog", { name: "Flag nova/fast-path", exact: true });
  const question = page.getByRole("dialog", { name: /Change nova/ });
  await percent(page).fill("30");
  await panel.getByRole("button", { name: "Set", exact: true }).click();
  await question.waitFor();
  await root.do(["flag", "set", "nova/fast-path", "6%"]);
  await root.do(["flag", "kill", "nova/fast-path", "--versions", "<2.3.5"]);
  const change = question.getByRole("button", { name: "Change it", exact: true });
  await change.click();
  await question.getByRole("alert").getByText("Somebody has changed").waitFor();
  expect(await question.locator("dd").allInnerTexts()).toEqual([
    "6 %; killed for <2.3.5",
    "30 %; killed for <2.3.5",
  ]);
  await change.click();
  await question.waitFor({ state: "detached" });
  expect(await root.do(["flag", "get", "nova/fast-path"])).toMatch(/30 %[^]*<2\.3\.5/);
}, 120_000);

test("a flag whose answer fails is told of in its row and its panel, and takes nothing from the others", async (context) => {
  await root.do(["flag", "set", "nova/other-path", "9%"]);
  const browser = await launchedChromium(context);
  const page = await browser.newPage();
  page.setDefaultTimeout(40_000);
  await page.route("**/Explain", async (route) => {
    if (!(route.request().postData() ?? "").includes("wide-path")) return route.continue();
    const body = JSON.stringify({ code: "internal", message: "internal error; see the log" });
    await route.fulfill({ status: 500, contentType: "application/json", body });
  });
  await page.goto(`http://${root.admin}/#token=${tokenOf(root)}`);
  await page.getByText("live", { exact: true }).waitFor();
  await page.getByLabel("Project").selectOption("nova");
  const rowOf = (name: string): Locator =>
    page.locator("ul.flags > li").filter({ has: page.getByText(name, { exact: true }) });
  await rowOf("wide-path").getByText("not known", { exact: true }).waitFor();
  const why = "What it comes out as here is not known. Internal error; see the log.";
  await rowOf("wide-path").getByText(why).waitFor();
  await rowOf("other-path").getByText("rollout", { exact: true }).waitFor();
  expect(await rowOf("wide-path").innerText()).not.toContain("…");
  await rowOf("wide-path").getByRole("button").click();
  const panel = page.getByRole("dialog", { name: "Flag nova/wide-path", exact: true });
  await panel.getByText(why).waitFor();
  await page.keyboard.press("Escape");
  await page.unroute("**/Explain");
  await root.do(["flag", "set", "nova/wide-path", "8%"]);
  await rowOf("wide-path").getByText("rollout", { exact: true }).waitFor();
  await page.getByText(why).waitFor({ state: "detached" });
}, 120_000);

test("flags that are stale are told of where they are listed, as on a narrow phone all of it has room", async (context) => {
  const browser = await launchedChromium(context);
  const page = await browser.newPage({ viewport: { width: 360, height: 800 } });
  page.setDefaultTimeout(40_000);
  const wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
  await page.goto(`http://${root.admin}/#token=wrong`);
  await page.getByRole("alert").getByText("The bearer token is not this node's.").waitFor();
  expect(await page.evaluate("document.querySelector('form').scrollWidth")).toBe(
    await page.evaluate("document.querySelector('form').clientWidth"),
  );
  const long = `n${"o".repeat(98)}w`;
  await root.do(["init", long]);
  await page.route("**/GetStatus", async (route) => {
    const response = await route.fetch();
    const text = (await response.text()).replaceAll('"FRESH"', '"STALE"');
    await route.fulfill({ response, body: text });
  });
  await page.goto(`http://${root.admin}/#token=${tokenOf(root)}`);
  await page.getByText("live", { exact: true }).waitFor();
  await page.getByLabel("Project").selectOption("nova");
  await page.locator("#flags").getByText("Stale: nobody who may has confirmed").waitFor();
  expect(await page.evaluate(wide)).toBe(0);
  await page.getByRole("button", { name: /fast-path/ }).click();
  await page.getByRole("dialog").waitFor();
  expect(await page.evaluate(wide)).toBe(0);
  await page.keyboard.press("Escape");
  await page.getByLabel("Project").selectOption(long);
  await page.getByText(`0 flags of ${long}`).waitFor();
  expect(await page.evaluate(wide)).toBe(0);
}, 120_000);

test("a node whose telemetry is off says so, and not that nobody has reported", async (context) => {
  await using silent = await NodeProcess.start("silent", { HEADWATER_TELEMETRY: "off" });
  await silent.do(["init", "horizon"]);
  const browser = await launchedChromium(context);
  const page = await browser.newPage();
  await page.goto(`http://${silent.admin}/#token=${tokenOf(silent)}`);
  await page.locator("#fleet").getByText("Telemetry is off at this node").waitFor();
  expect(await page.getByText("Nobody has reported yet").count()).toBe(0);
}, 120_000);
