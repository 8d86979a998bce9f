import { expect, test } from "vitest";
import { billOf } from "../../scripts/software-bill.ts";

const componentOf = (ref: string) => ({
  "bom-ref": ref,
  name: ref.replace(/@.*/, ""),
  properties: [
    { name: "cdx:npm:package:path", value: "somewhere" },
    ...(["preact@1.0.0", "vitest@5.0.0"].includes(ref)
      ? [{ name: "cdx:npm:package:development", value: "true" }]
      : []),
  ],
});

/** As npm 11 makes it, cut down to what is read. */
const made = (of: { serialNumber: string; timestamp: string; name: string }): string =>
  JSON.stringify({
    bomFormat: "CycloneDX",
    serialNumber: of.serialNumber,
    metadata: {
      timestamp: of.timestamp,
      tools: [{ name: "cli", version: "11.0.0" }],
      component: { "bom-ref": "headwater@0.1.0", name: of.name, version: "0.1.0" },
    },
    components: [
      "nats@2.0.0",
      "nkeys.js@1.0.0",
      "vitest@5.0.0",
      "shared@1.0.0",
      "preact@1.0.0",
    ].map(componentOf),
    dependencies: [
      { ref: "headwater@0.1.0", dependsOn: ["nats@2.0.0", "vitest@5.0.0", "preact@1.0.0"] },
      { ref: "nats@2.0.0", dependsOn: ["nkeys.js@1.0.0", "shared@1.0.0"] },
      { ref: "vitest@5.0.0", dependsOn: ["shared@1.0.0"] },
      { ref: "nkeys.js@1.0.0", dependsOn: [] },
      { ref: "shared@1.0.0", dependsOn: [] },
      { ref: "preact@1.0.0", dependsOn: [] },
    ],
  });

const manifest = {
  name: "headwater",
  dependencies: { nats: "2.0.0" },
  devDependencies: { preact: "1.0.0", vitest: "5.0.0" },
};

test("a bill says nothing of the moment, the folder or the npm that made it", () => {
  const one = billOf(made({ serialNumber: "a", timestamp: "1", name: "main" }), manifest);
  const other = billOf(made({ serialNumber: "b", timestamp: "2", name: "x" }), manifest);
  expect(one).toBe(other);
  expect(JSON.parse(one)).toMatchObject({
    serialNumber: expect.stringMatching(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab]/),
    metadata: { component: { name: "headwater" } },
  });
});

test("a bill has what the package needs, also where a tool needs it too or it is built in, and no tool", () => {
  const bill = JSON.parse(
    billOf(made({ serialNumber: "", timestamp: "", name: "" }), manifest),
  ) as {
    components: { name: string; properties: object[] }[];
    dependencies: { ref: string; dependsOn: string[] }[];
  };
  expect(bill.components.map(({ name }) => name)).toEqual(["nats", "nkeys.js", "shared", "preact"]);
  expect(bill.components.every(({ properties }) => properties.length === 1)).toBe(true);
  expect(bill.dependencies[0]).toEqual({
    ref: "headwater@0.1.0",
    dependsOn: ["nats@2.0.0", "preact@1.0.0"],
  });
  expect(bill.dependencies.map(({ ref }) => ref)).not.toContain("vitest@5.0.0");
});
