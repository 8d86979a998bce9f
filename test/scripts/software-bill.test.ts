import { expect, test } from "vitest";
import { normalised } from "../../scripts/software-bill.ts";

const made = (of: { serialNumber: string; timestamp: string; name: string }): string =>
  JSON.stringify({
    bomFormat: "CycloneDX",
    serialNumber: of.serialNumber,
    metadata: {
      timestamp: of.timestamp,
      tools: [{ name: "cli", version: "11.0.0" }],
      component: { name: of.name, version: "0.1.0" },
    },
    components: [{ name: "nats" }],
  });

test("a bill says nothing of the moment, the folder or the npm that made it", () => {
  const one = normalised(made({ serialNumber: "a", timestamp: "1", name: "main" }), "headwater");
  const other = normalised(made({ serialNumber: "b", timestamp: "2", name: "x" }), "headwater");
  expect(one).toBe(other);
  expect(JSON.parse(one)).toMatchObject({
    serialNumber: expect.stringMatching(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab]/),
    metadata: { component: { name: "headwater" } },
    components: [{ name: "nats" }],
  });
});
