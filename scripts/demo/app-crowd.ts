import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../../sdk/client.ts";
import { connect } from "../../sdk/index.ts";
import { TourFailure } from "./tour.ts";

/** The longest that an app may take to see a change; far more than it does. */
const arrivalMsMax = 20_000;

/** Running copies of one app at several sites: real SDK clients, each an instance of its own. */
export class AppCrowd implements AsyncDisposable {
  readonly #apps: readonly Client[];

  private constructor(apps: readonly Client[]) {
    this.#apps = apps;
  }

  /** `count` instances at each node, half of them on each of two releases. */
  static async start(of: {
    project: string;
    urls: readonly string[];
    countAtEach: number;
    releases: readonly [string, string];
  }): Promise<AppCrowd> {
    const starting = of.urls.flatMap((url, site) =>
      Array.from({ length: of.countAtEach }, (_, i) =>
        connect({
          project: of.project,
          version: of.releases[i % 2],
          instance: `site-${site + 1}-instance-${i + 1}`,
          url,
        }),
      ),
    );
    const apps = await Promise.all(starting);
    for (const [i, app] of apps.entries()) app.health(i % 20 === 7 ? "DEGRADED" : "OK");
    return new AppCrowd(apps);
  }

  get count(): number {
    return this.#apps.length;
  }

  /** How many instances take the path. */
  onCount(flag: string): number {
    return this.#apps.filter((app) => app.enabled(flag)).length;
  }

  /** Milliseconds from `startedMs` until the last app answers so for itself. */
  async until(what: string, startedMs: number, isSo: (app: Client) => boolean): Promise<number> {
    for (;;) {
      const passedMs = performance.now() - startedMs;
      const missing = this.#apps.filter((app) => !isSo(app)).length;
      if (missing === 0) return passedMs;
      if (passedMs > arrivalMsMax)
        throw new TourFailure(
          `${what}: ${missing} of ${this.count} apps have not seen it after ${arrivalMsMax} ms`,
        );
      await sleep(1);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#apps.map((app) => app.close()));
  }
}
