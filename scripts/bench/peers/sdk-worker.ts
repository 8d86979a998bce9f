// Apps with the SDKs of others, whose flags are at hand: what they ask of a network is not measured.
import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type Cost, callsPerRound, costOf, costOfAwaited } from "../call-cost.ts";
import { serveVerbs } from "../worker.ts";
import { peersDir } from "./peer-program.ts";

/** As far as it is used here, as the two below. */
interface Unleash extends NodeJS.EventEmitter {
  isEnabled(flag: string, context: { userId: string }): boolean;
}

interface LaunchDarkly {
  waitForInitialization(of: { timeout: number }): Promise<unknown>;
  variation(flag: string, context: object, otherwise: boolean): Promise<boolean>;
}

interface TestData {
  usePreconfiguredFlag(flag: object): unknown;
  getFactory(): unknown;
}

const load = createRequire(join(peersDir, "package.json"));
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** What is more than a hundred times as slow as a map is asked less often. */
const callsCount = callsPerRound / 50;

let unleash: Unleash | undefined;
let launchDarkly: LaunchDarkly | undefined;

serveVerbs({
  start: async (of: { flag: string }): Promise<void> => {
    unleash = await startUnleash(of.flag);
    launchDarkly = await startLaunchDarkly(of.flag);
  },
  unleash: ({ flag }: { flag: string }): Cost =>
    costOf(() => unleash?.isEnabled(flag, { userId: "one" }) ?? false, callsCount),
  launchdarkly: ({ flag }: { flag: string }): Promise<Cost> =>
    costOfAwaited(
      async () =>
        (await launchDarkly?.variation(flag, { kind: "user", key: "one" }, false)) ?? false,
      callsCount,
    ),
});

async function startUnleash(flag: string): Promise<Unleash> {
  const { Unleash: Client } = load("unleash-client");
  const parameters = { rollout: "10", stickiness: "userId", groupId: flag };
  const strategies = [{ name: "flexibleRollout", parameters, constraints: [] }];
  const toggle = { name: flag, enabled: true, type: "release", variants: [], strategies };
  const client: Unleash = new Client({
    appName: "bench",
    // Nobody is asked: all there is comes with it.
    url: "http://127.0.0.1:9/",
    refreshInterval: 0,
    disableMetrics: true,
    skipInstanceCountWarning: true,
    bootstrap: { data: [toggle] },
    storageProvider: { get: async () => undefined, set: async () => {} },
  });
  client.on("error", () => undefined).on("warn", () => undefined);
  await once(client, "ready");
  return client;
}

async function startLaunchDarkly(key: string): Promise<LaunchDarkly> {
  const { init, integrations } = load("@launchdarkly/node-server-sdk");
  const data: TestData = new integrations.TestData();
  const variations = [
    { variation: 0, weight: 10_000 },
    { variation: 1, weight: 90_000 },
  ];
  data.usePreconfiguredFlag({
    key,
    version: 1,
    on: true,
    salt: key,
    variations: [true, false],
    offVariation: 1,
    fallthrough: { rollout: { contextKind: "user", variations } },
    targets: [],
    rules: [],
    prerequisites: [],
  });
  const updateProcessor = data.getFactory();
  const client: LaunchDarkly = init("none", { updateProcessor, sendEvents: false, logger: silent });
  await client.waitForInitialization({ timeout: 10 });
  return client;
}
