import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { drill } from "../../scripts/interop/drill.ts";
import { typescript } from "../../scripts/interop/toolchain.ts";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/openfeature.md"), "utf8");

test.each([
  ["ts", "typescript/share.ts"],
  ["go", "go/share.go"],
  ["python", "python/share.py"],
  ["java", "java/share.java"],
])("docs/openfeature.md shows the %s program as it is run", (language, file) => {
  const program = readFileSync(join(root, "test/interop", file), "utf8");
  expect(page).toContain(`\`\`\`${language}\n${program.trimEnd()}\n\`\`\``);
});

test("docs/openfeature.md shows what the programs say", async () => {
  const said: string[] = [];
  await drill({ toolchain: typescript, say: (line) => said.push(line) });
  expect(page).toContain(`\`\`\`\n${said.join("\n")}\n\`\`\``);
}, 180_000);
