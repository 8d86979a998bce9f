import { type Browser, chromium } from "playwright-core";
import { onTestFinished, type TestContext } from "vitest";
import { findChromium } from "../../scripts/chromium.mjs";

/**
 * A real browser, closed when the test has finished. Where there is none the test is skipped, or
 * fails under `CI`.
 */
export async function launchedChromium(context: TestContext): Promise<Browser> {
  const found = findChromium();
  if (found === undefined) {
    const why = "no chromium here: put one on the PATH, or run node scripts/chromium.mjs";
    if (process.env["CI"]) throw new Error(why);
    return context.skip(why);
  }
  const environment = Object.entries({ ...process.env, ...found.env });
  const browser = await chromium.launch({
    executablePath: found.path,
    env: Object.fromEntries(environment.flatMap(([name, value]) => (value ? [[name, value]] : []))),
    // A container has no room in /dev/shm, and no other user to run as.
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
  onTestFinished(() => browser.close());
  return browser;
}
