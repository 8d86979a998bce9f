import { expect, test } from "vitest";
import { secretComparisons } from "./secret-rules.ts";
import { sourceFiles } from "./source-tree.ts";

const shipped = sourceFiles([".ts", ".tsx", ".mjs"]).filter(({ path }) =>
  /^(relay|nodes|sdk)\//.test(path),
);

test("no secret is compared in a time that tells how much of it was right", () => {
  expect(shipped.length).toBeGreaterThan(200);
  expect(shipped.flatMap(secretComparisons)).toEqual([]);
});

test.each([
  "if (token === this.#token) {}",
  "if (given !== siteSecret) {}",
  "if (request.password == of.password) {}",
  "const same = bytesEqual(seed, other);",
  "const same = Buffer.compare(given, secret) === 0;",
  "const same = digest.equals(held);",
])("the rule refuses %s", (text) => {
  const problems = secretComparisons({ path: "nodes/admin/authorization.ts", text });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain("nodes/admin/authorization.ts:1");
});

test.each([
  "if (token === undefined) {}",
  'if (password === "") {}',
  "if (token.site === settings.id) {}",
  "if (timingSafeEqual(digest, held)) {}",
  'if (typeof secret === "string") {}',
])("the rule takes %s", (text) => {
  expect(secretComparisons({ path: "nodes/admin/authorization.ts", text })).toEqual([]);
});
