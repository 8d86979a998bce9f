import { onTestFinished } from "vitest";
import { type Apps, type AppsOptions, openApps } from "../../../nodes/apps/apps.ts";
import { FakeAccess } from "../fake-access.ts";
import { LogLines } from "../http/log-lines.ts";

export interface OpenedApps extends Apps {
  readonly url: string;
  readonly access: FakeAccess;
  readonly log: LogLines;
}

/** The apps' port of a fake node, closed when the test is over. */
export async function openTestApps(
  access: FakeAccess = new FakeAccess(),
  options: Partial<AppsOptions> = {},
): Promise<OpenedApps> {
  const log = new LogLines();
  const deadlines = { closeMs: 1_000, ...options.deadlines };
  const apps = await openApps({ access, address: "127.0.0.1:0", log, ...options, deadlines });
  onTestFinished(() => apps.close());
  return { ...apps, url: `http://${apps.address}`, access, log };
}

/** A call as `curl` makes it. */
export async function callJson(
  url: string,
  method: string,
  body: unknown,
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${url}/headwater.v1.${method}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}
