import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { launchedChromium } from "./chromium.ts";

test("a page of a server here runs its script, with fonts to be read in", async (context) => {
  const browser = await launchedChromium(context);
  const server = createServer((_, response) => {
    response.setHeader("content-type", "text/html");
    response.end(`<title>-</title><p>headwater</p><script type="module">
      document.title = String(document.querySelector("p").getBoundingClientRect().height > 0);
    </script>`);
  }).listen(0, "127.0.0.1");
  onTestFinished(() => {
    server.close();
  });
  await once(server, "listening");
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await page.waitForFunction("document.title === 'true'");
  expect(await page.innerText("p")).toBe("headwater");
});
