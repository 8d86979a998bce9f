import { setTimeout as sleep } from "node:timers/promises";
import { FlagdProvider } from "@openfeature/flagd-provider";
import { OpenFeature } from "@openfeature/server-sdk";

await OpenFeature.setProviderAndWait(new FlagdProvider());
const flags = OpenFeature.getClient();
for (let before = -1; ; await sleep(100)) {
  const asked = Array.from({ length: 100 }, (_, i) =>
    flags.getBooleanValue("new-scheduler", false, { targetingKey: `i-${i}` }),
  );
  const on = (await Promise.all(asked)).filter(Boolean).length;
  if (on !== before) console.log(`new-scheduler is on for ${on} of 100 instances`);
  before = on;
}
