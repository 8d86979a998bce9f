import { parseSync } from "oxc-parser";
import { expect, test } from "vitest";
import { sourceFiles } from "./source-tree.ts";

interface Node {
  readonly type?: string;
  readonly [name: string]: unknown;
}

/** Stands for what is put into a text when it is made. */
const made = "◦";

/** What the functions of a file answer, by their name. */
type Answers = ReadonlyMap<string, readonly Node[]>;

function answersOf(node: unknown): [string, Node[]][] {
  if (Array.isArray(node)) return node.flatMap(answersOf);
  if (typeof node !== "object" || node === null) return [];
  const { type, id, body } = node as Node;
  const own: [string, Node[]][] =
    type === "FunctionDeclaration" ? [[String((id as Node)["name"]), returned(body)]] : [];
  return [...own, ...Object.values(node).flatMap(answersOf)];
}

function returned(node: unknown): Node[] {
  if (Array.isArray(node)) return node.flatMap(returned);
  if (typeof node !== "object" || node === null) return [];
  const { type, argument } = node as Node;
  if (type === "ReturnStatement") return argument ? [argument as Node] : [];
  return Object.values(node).flatMap(returned);
}

/** What is written in a file that people are told to do, with `made` for what is not written there. */
function hintTexts(node: unknown, answers: Answers): string[] {
  if (Array.isArray(node)) return node.flatMap((one) => hintTexts(one, answers));
  if (typeof node !== "object" || node === null) return [];
  const hint = hintOf(node as Node);
  const own = hint === undefined ? [] : [hint, ...calledBy(hint, answers)].flatMap(textsOf);
  return [...own, ...Object.values(node).flatMap((one) => hintTexts(one, answers))];
}

/** The `hint` of an error, what is named so, and the third of what a refusal is made of. */
function hintOf({ type, key, value, id, init, callee, arguments: given }: Node): Node | undefined {
  const isNamed = (node: unknown): boolean => /^hint$|Hint$/.test(String((node as Node)["name"]));
  if (type === "Property" && isNamed(key)) return value as Node;
  if (type === "VariableDeclarator" && isNamed(id) && init !== null) return init as Node;
  if (type === "CallExpression" && (callee as Node)["name"] === "refused")
    return (given as Node[])[2];
  return undefined;
}

/** Where a function of the same file makes the hint. */
function calledBy({ type, callee, right }: Node, answers: Answers): readonly Node[] {
  if (type === "LogicalExpression") return calledBy(right as Node, answers);
  if (type !== "CallExpression") return [];
  return answers.get(String((callee as Node)["name"])) ?? [];
}

/** None where nothing of it is written here. */
function textsOf(node: Node): string[] {
  const { type, value, quasis, left, right, consequent, alternate } = node;
  if (type === "Literal") return [String(value)];
  if (type === "BinaryExpression")
    return orMade(left as Node).flatMap((begin) =>
      orMade(right as Node).map((end) => `${begin}${end}`),
    );
  if (type === "ConditionalExpression")
    return [...textsOf(consequent as Node), ...textsOf(alternate as Node)];
  if (type === "LogicalExpression") return textsOf(right as Node);
  if (type !== "TemplateLiteral") return [];
  return [(quasis as { value: { cooked: string } }[]).map((one) => one.value.cooked).join(made)];
}

function orMade(node: Node): string[] {
  const texts = textsOf(node);
  return texts.length === 0 ? [made] : texts;
}

const hints = sourceFiles([".ts", ".tsx"])
  .filter(({ path }) => /^(nodes|sdk|relay)\//.test(path))
  .flatMap(({ path, text }) => {
    const { program } = parseSync(path, text);
    return hintTexts(program, new Map(answersOf(program))).map((hint) => ({ path, hint }));
  });

function hintsThat(isWrong: (hint: string) => boolean): string[] {
  return hints.filter(({ hint }) => isWrong(hint)).map(({ path, hint }) => `${path}: ${hint}`);
}

test("hints are sentences: they begin like one and end like one", () => {
  expect(hints.length).toBeGreaterThan(150);
  expect(hintsThat((hint) => !/^[A-Z`-].*[.?◦]$|^◦.*[.?]$/s.test(hint))).toEqual([]);
});

test("what can be typed stands in backticks in hints", () => {
  const outside = (hint: string): string => hint.replaceAll(/`[^`]*`/g, "");
  expect(hintsThat((hint) => /\bheadwater [a-z]/.test(outside(hint)))).toEqual([]);
});
