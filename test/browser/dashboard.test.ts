import { mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { create, toBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FlagSchema } from "../../gen/headwater/v1/flag_pb.ts";
import { LedgerService } from "../../gen/headwater/v1/ledgers_pb.ts";
import { HASH_VERSION } from "../../relay/flag/bucket.ts";
import type { NodeProcess } from "../../scripts/demo/node-process.ts";
import { temporaryDirectory } from "../nodes/store/temporary-directory.ts";
import { launchedChromium } from "./chromium.ts";
import { DashboardScene, tokenOf } from "./dashboard-scene.ts";

const axe = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");

/** `PICTURES=1` puts the pictures where the documents show them. */
const pictures = process.env["PICTURES"] === undefined ? undefined : resolve("docs/pictures");

let scene: DashboardScene;

beforeAll(async () => {
  scene = await DashboardScene.open();
}, 180_000);
afterAll(async () => scene?.[Symbol.asyncDispose]());

interface Look {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
}

/** The dashboard of a node, opened with its token; what its console says fails the test. */
async function openPage(
  context: Parameters<typeof launchedChromium>[0],
  node: NodeProcess,
  of: Look = {},
): Promise<Page> {
  const browser = await launchedChromium(context);
  const page = await browser.newPage({
    viewport: { width: of.width ?? 1_120, height: of.height ?? 800 },
    colorScheme: of.dark === true ? "dark" : "light",
    reducedMotion: "reduce",
  });
  page.setDefaultTimeout(40_000);
  const foreign: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(`http://${node.admin}/`)) foreign.push(request.url());
  });
  page.on("pageerror", (error) => foreign.push(error.message));
  page.on("close", () => expect(foreign).toEqual([]));
  await page.goto(`http://${node.admin}/#token=${tokenOf(node)}`);
  await page.getByRole("button", { name: /new-scheduler/ }).waitFor();
  await page.getByText("live", { exact: true }).waitFor();
  expect(page.url()).not.toContain("token");
  return page;
}

/** What axe finds: the rules of WCAG 2.2 A and AA, and its best practices. */
async function violations(page: Page): Promise<string[]> {
  // The page lets no script in but its own; this one comes from outside of it, through the browser.
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { axe: runner } = globalThis as unknown as {
      axe: { run: () => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    const found = (await runner.run()).violations;
    return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  });
}

async function picture(page: Page, name: string, fullPage = false): Promise<void> {
  const directory = pictures ?? temporaryDirectory();
  mkdirSync(directory, { recursive: true });
  await page.evaluate("document.activeElement?.blur(); window.scrollTo(0, 0)");
  await page.screenshot({ path: join(directory, `${name}.png`), fullPage });
}

describe("the dashboard, in a real browser", () => {
  test("asks for a token, refuses a wrong one, and says why", async (context) => {
    const browser = await launchedChromium(context);
    const page = await browser.newPage({ viewport: { width: 1_120, height: 640 } });
    await page.goto(`http://${scene.root.admin}/`);
    await page.getByLabel("Token").fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByText("The bearer token is not this node's").waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByLabel("Token").fill(tokenOf(scene.root));
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Flags", exact: true }).waitFor();
  });

  test("takes an address with another token while it is open, and hides it again", async (context) => {
    const browser = await launchedChromium(context);
    const page = await browser.newPage();
    const address = `http://${scene.root.admin}/`;
    await page.goto(`${address}#token=wrong`);
    await page.getByText("The bearer token is not this node's").waitFor();
    await page.goto(`${address}#token=${tokenOf(scene.root)}`);
    await page.getByRole("heading", { name: "Flags", exact: true }).waitFor();
    expect(page.url()).toBe(address);
  });

  test("a cap keeps its note and its versions, as with the commands", async (context) => {
    const cap = ["overlay", "cap", "horizon/cell-routing", "9%"];
    await scene.vendor.do([...cap, "--versions", ">=2.0.0", "--note", "until QA has seen it"]);
    const page = await openPage(context, scene.vendor);
    await page.getByRole("button", { name: /cell-routing/ }).click();
    const panel = page.getByRole("dialog", { name: "Flag horizon/cell-routing", exact: true });
    await panel.getByRole("textbox", { name: "At most", exact: true }).fill("7");
    await panel.getByRole("button", { name: "Cap", exact: true }).click();
    const question = page.getByRole("dialog", { name: /Change horizon/ });
    expect(await question.innerText()).toContain("capped to 7 % for >=2.0.0");
    await question.getByRole("button", { name: "Change it", exact: true }).click();
    await question.waitFor({ state: "detached" });
    const listed = await scene.vendor.do(["overlay", "list", "horizon"]);
    expect(listed).toMatch(/capped to 7 % for >=2\.0\.0 +until QA has seen it/);
    await scene.vendor.do(["overlay", "clear", "horizon/cell-routing"]);
  });

  test("does not write over a flag that it can not read", async (context) => {
    const client = createClient(
      LedgerService,
      createConnectTransport({ baseUrl: `http://${scene.root.admin}`, httpVersion: "1.1" }),
    );
    const headers = { authorization: `Bearer ${tokenOf(scene.root)}` };
    const flagBytes = (name: string, of: { hash: number; reader: number }): Uint8Array =>
      toBinary(FlagSchema, create(FlagSchema, { name, basisPoints: 4_200, ...of }));
    const unread = {
      "from-the-future": new Uint8Array([255]),
      "later-reader": flagBytes("later-reader", { hash: HASH_VERSION, reader: 2 }),
      "other-buckets": flagBytes("other-buckets", { hash: HASH_VERSION + 1, reader: 1 }),
    };
    const entries = Object.entries(unread).map(([name, value]) => ({ key: `flag/${name}`, value }));
    await client.commit({ ledger: { project: "horizon" }, entries }, { headers });
    const page = await openPage(context, scene.root);
    for (const name of Object.keys(unread)) {
      const row = page.getByRole("button", { name: new RegExp(name) });
      await row.getByText("not understood").first().waitFor();
      expect(await row.innerText()).not.toContain("42 %");
      await row.click();
      const panel = page.getByRole("dialog", { name: `Flag horizon/${name}`, exact: true });
      await panel.getByText("Written by a newer version").waitFor();
      expect(await panel.getByRole("button", { name: "Set", exact: true }).count()).toBe(0);
      await page.keyboard.press("Escape");
      await panel.waitFor({ state: "detached" });
    }
    const tombstones = entries.map(({ key }) => key);
    await client.commit({ ledger: { project: "horizon" }, tombstones }, { headers });
  });

  test("shows flags, releases, links and history, and a change as it happens", async (context) => {
    const page = await openPage(context, scene.root);
    await page.getByRole("img", { name: /Releases of horizon over time; now .*2\.3\.5/ }).waitFor();
    await page.getByText("acme/acme").waitFor();
    await page.getByText("commit 9fceb02d0ae5").first().waitFor();
    const row = page.getByRole("button", { name: /cell-routing/ });
    expect(await row.innerText()).toContain("10 %");
    await picture(page, "dashboard", true);
    await scene.root.do(["flag", "set", "horizon/cell-routing", "12%"]);
    await page.getByRole("button", { name: /cell-routing.*12 %/s }).waitFor();
    await scene.root.do(["flag", "set", "horizon/cell-routing", "10%"]);
  });

  test("changes a flag after asking, and tells when the token may not", async (context) => {
    const page = await openPage(context, scene.root);
    await page.getByRole("button", { name: /new-scheduler/ }).click();
    const panel = page.getByRole("dialog", { name: "Flag horizon/new-scheduler", exact: true });
    await panel.getByRole("img", { name: /Percentage over time: .*1 %, then 5 %/ }).waitFor();
    await picture(page, "dashboard-flag");
    await panel.getByRole("textbox", { name: "Percentage", exact: true }).fill("30");
    await panel.getByRole("button", { name: "Set", exact: true }).click();
    const question = page.getByRole("dialog", { name: /Change horizon/ });
    expect(await question.innerText()).toMatch(/25 % for >=2\.3\.0[^]*30 % for >=2\.3\.0/);
    await question.getByRole("button", { name: "Cancel", exact: true }).click();
    expect(await scene.root.do(["flag", "get", "horizon/new-scheduler"])).toContain("25 %");
    await panel.getByRole("button", { name: "Kill", exact: true }).click();
    await question.getByRole("button", { name: "Change it", exact: true }).click();
    await page.getByRole("button", { name: /new-scheduler.*killed/s }).waitFor();
    expect(await scene.root.do(["flag", "get", "horizon/new-scheduler"])).toContain("every build");
    await scene.root.do(["flag", "revive", "horizon/new-scheduler"]);

    const token = (await scene.root.do(["token", "add", "looker", "--scope", "read"])).trim();
    await page.evaluate((given) => sessionStorage.setItem("headwater-token", given), token);
    await page.reload();
    await page.getByRole("button", { name: /new-scheduler/ }).click();
    await panel.getByRole("button", { name: "Kill", exact: true }).click();
    await question.getByRole("button", { name: "Change it", exact: true }).click();
    await question.getByText("The token looker is for read; this needs flags").waitFor();
    await scene.root.do(["token", "revoke", "looker"]);
  });

  test("sets a flag of several percentages to none, and kills it with all that it has", async (context) => {
    const page = await openPage(context, scene.root);
    await page.getByRole("button", { name: /wide-path/ }).click();
    const panel = page.getByRole("dialog", { name: "Flag horizon/wide-path", exact: true });
    const question = page.getByRole("dialog", { name: /Change horizon/ });
    await panel.getByRole("textbox", { name: "Percentage", exact: true }).fill("0");
    await panel.getByRole("button", { name: "Set", exact: true }).click();
    expect(await question.locator("dd").last().innerText()).toBe("0 %");
    await question.getByRole("button", { name: "Cancel", exact: true }).click();
    await panel.getByRole("button", { name: "Kill", exact: true }).click();
    expect(await question.locator("dd").last().innerText()).toMatch(/^50 % of .*killed for every/);
  });

  test("at a vendor: its overlay's part, and what leaves", async (context) => {
    const page = await openPage(context, scene.vendor, { dark: true });
    await page.getByText("capped to 1 %").first().waitFor();
    await page
      .getByText(/Exactly this, \d+ bytes, as rounded/)
      .first()
      .waitFor();
    await page.getByRole("button", { name: /image-cache/ }).click();
    const panel = page.getByRole("dialog", { name: "Flag horizon/image-cache", exact: true });
    await panel.getByLabel("At most").fill("20");
    await panel.getByRole("button", { name: "Cap", exact: true }).click();
    await page.getByRole("button", { name: "Change it", exact: true }).click();
    await panel.getByText("capped to 20 %").waitFor();
    expect(await scene.vendor.do(["overlay", "list", "horizon"])).toMatch(/image-cache +.*20 %/);
    await page.keyboard.press("Escape");
    await page.locator("#leaving summary").first().click();
    await picture(page, "dashboard-vendor-dark", true);
  });

  test("shows a rollout, and pauses it after asking", async (context) => {
    const page = await openPage(context, scene.root);
    await scene.root.do(["rollout", "start", "horizon/legacy-auth", "--steps", "1%,25%,100%"]);
    const row = page.locator("#rollouts li.ramp-row");
    await row.getByText("running", { exact: true }).waitFor();
    expect(await violations(page)).toEqual([]);
    await row.getByRole("button", { name: "Pause", exact: true }).click();
    await page.getByRole("button", { name: "Change it", exact: true }).click();
    await row.getByText("paused", { exact: true }).waitFor();
    expect(await scene.root.do(["rollout", "status", "horizon"])).toMatch(/paused/i);
    await row.getByRole("button", { name: "Abort", exact: true }).click();
    await page.getByRole("button", { name: "Change it", exact: true }).click();
    await row.getByText("aborted", { exact: true }).waitFor();
  });

  test("is used with the keyboard alone", async (context) => {
    const page = await openPage(context, scene.root);
    await page.getByRole("searchbox").focus();
    await page.keyboard.type("image");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    const panel = page.getByRole("dialog", { name: "Flag horizon/image-cache", exact: true });
    await panel.waitFor();
    await page.keyboard.press("Escape");
    await panel.waitFor({ state: "detached" });
    expect(await page.evaluate("document.activeElement.textContent")).toContain("image-cache");
  });

  const looks: Record<string, Look> = {
    "in the light": {},
    "in the dark": { dark: true },
    "on a phone": { width: 390, height: 844 },
  };
  for (const [words, look] of Object.entries(looks))
    test(`is accessible ${words}`, async (context) => {
      const page = await openPage(context, scene.root, look);
      expect(await violations(page)).toEqual([]);
      await page.getByRole("button", { name: /fast-path/ }).click();
      await page.getByRole("dialog").waitFor();
      expect(await violations(page)).toEqual([]);
      await page.keyboard.press("Escape");
      const width = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
      expect(await page.evaluate(width)).toBe(0);
      if (look.width !== undefined) await picture(page, "dashboard-phone");
    });
});
