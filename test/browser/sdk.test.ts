import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, expect, onTestFinished, type TestContext, test } from "vitest";
import { isIn } from "../../relay/flag/bucket.ts";
import { NodeProcess } from "../../scripts/demo/node-process.ts";
import { localhostCertificate } from "../nodes/http/localhost-certificate.ts";
import { launchedChromium } from "./chromium.ts";

/** What the page lets the test see. */
const program = `
  import { connect } from "SDK/web.ts";
  import { HeadwaterWebProvider } from "SDK/openfeature-web.ts";
  import { OpenFeature } from "@openfeature/web-sdk";
  Object.assign(window, { connect, HeadwaterWebProvider, OpenFeature });
`;

const sdkDir = join(import.meta.dirname, "../../sdk");

let node: NodeProcess;
let site: { origin: string; close: () => void };

beforeAll(async () => {
  site = await servePage();
  node = await NodeProcess.start("upstream", { HEADWATER_APPS_CORS_ORIGINS: site.origin });
  await node.do(["init", "horizon"]);
  await node.do(["flag", "set", "horizon/new-scheduler", "100%"]);
  await node.do(["flag", "set", "horizon/fast-path", "100%"]);
  await node.do(["flag", "set", "horizon/half", "50%"]);
});

afterAll(async () => {
  site?.close();
  await node?.[Symbol.asyncDispose]();
});

/** A page of another origin than the node, with the library in it. */
async function servePage(): Promise<typeof site> {
  const script = await bundled();
  const server = createServer((request, response) => {
    const isScript = request.url === "/app.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? script : `<script type="module" src="/app.js"></script>`);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { origin: `http://127.0.0.1:${port}`, close };
}

async function bundled(): Promise<string> {
  const build = await rolldown({
    input: "app",
    platform: "browser",
    plugins: [
      {
        name: "app",
        resolveId: (id) => (id === "app" ? join(sdkDir, "app.js") : undefined),
        load: (id) =>
          id === join(sdkDir, "app.js") ? program.replaceAll("SDK/", `${sdkDir}/`) : undefined,
      },
    ],
  });
  const { output } = await build.generate({ format: "esm" });
  return output[0].code;
}

async function openPage(context: TestContext): Promise<Page> {
  const browser = await launchedChromium(context);
  const page = await browser.newPage({ ignoreHTTPSErrors: true });
  page.setDefaultTimeout(50_000);
  await page.goto(site.origin);
  await page.waitForFunction("window.connect !== undefined");
  onTestFinished(() => page.close());
  return page;
}

async function reportsCount(of: NodeProcess): Promise<number> {
  const token = readFileSync(join(of.dataDirectory, "admin.token"), "utf8").trim();
  const headers = { authorization: `Bearer ${token}` };
  const metrics = await (await fetch(`http://${of.admin}/metrics`, { headers })).text();
  return Number(/^headwater_reports_total (\d+)/m.exec(metrics)?.[1]);
}

test("a page of another origin has its flags, hears of changes and reports", async (context) => {
  const page = await openPage(context);
  const url = JSON.stringify(`http://${node.apps}`);
  await page.evaluate(`(async () => {
    window.heard = [];
    window.flags = await connect({
      project: "horizon", version: "2.3.0", instance: "page-1", url: ${url}, waitMs: 30_000,
    });
    flags.on("change", (flag) => heard.push(flag));
  })()`);
  expect(await page.evaluate("flags.details('fast-path')")).toEqual({
    name: "fast-path",
    enabled: true,
    reason: "FULL",
    freshness: "FRESH",
  });
  expect(await page.evaluate("flags.enabled('half')")).toBe(
    isIn({ flag: "half", instance: "page-1", basisPoints: 5_000 }),
  );
  await node.do(["flag", "kill", "horizon/fast-path", "--note", "hangs"]);
  await page.waitForFunction("!flags.enabled('fast-path')");
  expect(await page.evaluate("heard")).toEqual([
    { name: "fast-path", enabled: false, reason: "KILLED" },
  ]);
  await page.evaluate("flags.health('DEGRADED')");
  await page.waitForFunction("flags.problems.length === 0");
  await page.evaluate("flags.close()");
  // At the start, of its health, and at the end what had not been said.
  expect(await reportsCount(node)).toBeGreaterThanOrEqual(2);
});

test("a page asks by OpenFeature", async (context) => {
  const page = await openPage(context);
  const url = JSON.stringify(`http://${node.apps}`);
  await page.evaluate(`(async () => {
    await OpenFeature.setContext({ targetingKey: "page-2" });
    await OpenFeature.setProviderAndWait(new HeadwaterWebProvider({
      project: "horizon", version: "2.3.0", url: ${url}, waitMs: 30_000,
    }));
    window.client = OpenFeature.getClient();
  })()`);
  expect(await page.evaluate("client.getBooleanValue('new-scheduler', false)")).toBe(true);
  expect(await page.evaluate("client.getBooleanValue('half', false)")).toBe(
    isIn({ flag: "half", instance: "page-2", basisPoints: 5_000 }),
  );
  await node.kill();
  await node.restart();
  await node.do(["flag", "set", "horizon/new-scheduler", "0%"]);
  await page.waitForFunction("!client.getBooleanValue('new-scheduler', true)");
});

test("a page of an origin that the node was not told of learns nothing", async (context) => {
  const page = await openPage(context);
  await page.goto(site.origin.replace("127.0.0.1", "localhost"));
  await page.waitForFunction("window.connect !== undefined");
  const url = JSON.stringify(`http://${node.apps}`);
  const [enabled, problems] = (await page.evaluate(`(async () => {
    const flags = await connect({ project: "horizon", url: ${url}, waitMs: 500 });
    const said = [flags.enabled("new-scheduler", { default: true }), flags.problems];
    await flags.close();
    return said;
  })()`)) as [boolean, string[]];
  expect(enabled).toBe(true);
  expect(problems.join()).toContain("Failed to fetch");
});

/** A node that has a certificate which browsers can use, until the end of the test. */
async function startWithTls(): Promise<NodeProcess> {
  const directory = mkdtempSync(join(tmpdir(), "headwater-page-tls-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const files = { cert: join(directory, "tls.crt"), key: join(directory, "tls.key") };
  writeFileSync(files.cert, localhostCertificate.cert);
  writeFileSync(files.key, localhostCertificate.key, { mode: 0o600 });
  const started = await NodeProcess.start("upstream", {
    HEADWATER_APPS_CORS_ORIGINS: site.origin,
    HEADWATER_TLS_CERT_FILE: files.cert,
    HEADWATER_TLS_KEY_FILE: files.key,
  });
  onTestFinished(() => started[Symbol.asyncDispose]());
  await started.do(["init", "horizon"]);
  return started;
}

test("more pages than a browser has connections for have their flags over TLS, and report", async (context) => {
  const served = await startWithTls();
  const page = await openPage(context);
  const options = { project: "horizon", url: `https://${served.apps}`, waitMs: 30_000 };
  await page.evaluate(`(async () => {
    window.pages = [];
    for (let n = 0; n < 8; n++) pages.push(await connect(${JSON.stringify(options)}));
    for (const flags of pages) flags.health("DEGRADED");
  })()`);
  expect(await page.evaluate("pages.map(({ ready }) => ready)")).toEqual(Array(8).fill(true));
  await expect.poll(() => reportsCount(served), { timeout: 30_000 }).toBeGreaterThanOrEqual(16);
});
