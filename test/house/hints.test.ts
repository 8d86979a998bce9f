import { parseSync } from "oxc-parser";
import { expect, test } from "vitest";
import { sourceFiles } from "./source-tree.ts";

interface Node {
  readonly type?: string;
  readonly [name: string]: unknown;
}

/** What the hints of a file end with, as far as they are written there. */
function hintEndings(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(hintEndings);
  if (typeof node !== "object" || node === null) return [];
  const { type, key, value } = node as Node;
  const isHint = type === "Property" && (key as Node)["name"] === "hint";
  const own = isHint ? endingsOf(value as Node) : [];
  return [...own, ...Object.values(node).flatMap(hintEndings)];
}

function endingsOf(node: Node): string[] {
  const { type, value, quasis, right, consequent, alternate } = node;
  if (type === "Literal") return [String(value)];
  if (type === "BinaryExpression") return endingsOf(right as Node);
  if (type === "ConditionalExpression")
    return [...endingsOf(consequent as Node), ...endingsOf(alternate as Node)];
  if (type !== "TemplateLiteral") return [];
  return (quasis as { value: { cooked: string } }[]).slice(-1).map((last) => last.value.cooked);
}

test("hints of commands and of what they ask are sentences, with what can be typed in backticks", () => {
  const files = sourceFiles([".ts"]).filter(({ path }) => /^nodes\/(cli|admin)\//.test(path));
  const endings = files.flatMap(({ path, text }) =>
    hintEndings(parseSync(path, text).program).map((ending) => `${path}: ${ending}`),
  );
  expect(endings.length).toBeGreaterThan(50);
  expect(endings.filter((ending) => !/[.?]$/.test(ending))).toEqual([]);
});
