import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { configurationTable } from "../../nodes/config/configuration-table.ts";

test("docs/operating.md has the settings as they are declared", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/operating.md"), "utf8");
  expect(page).toContain(configurationTable().trim());
});
