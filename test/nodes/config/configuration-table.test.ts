import { expect, it } from "vitest";
import { configurationTable } from "../../../nodes/config/configuration-table.ts";

it("is a table each for apps, nodes and operators", async () => {
  await expect(configurationTable()).toMatchFileSnapshot("configuration-table.txt");
});
