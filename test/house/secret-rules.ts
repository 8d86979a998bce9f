import { type Expression, type PrivateIdentifier, parseSync, Visitor } from "oxc-parser";
import type { SourceFile } from "./source-tree.ts";

/** Names of what only some may know, at the end of a name: `adminToken`, but not `token.site`. */
const secretName = /(token|secret|seed|password|passphrase|privatekey|digest)$/i;

/** Digests of what everybody may read; of tokens there is a digest too. */
const publicDigests = /^(relay|sdk|nodes\/(apps|cli|store|fanout|mesh))\//;

const comparing = new Set(["===", "!==", "==", "!="]);

/** What compares byte after byte, and ends at the first difference. */
const comparingCalls = new Set(["bytesEqual", "compare", "equals", "localeCompare"]);

/**
 * Where a secret is compared in a time that tells how much of it was right, a line each. Whether it
 * is there at all (`=== undefined`), or empty, tells nothing.
 */
export function secretComparisons({ path, text }: SourceFile): string[] {
  const { program } = parseSync(path, text);
  const problems: string[] = [];
  const note = (start: number, name: string): void => {
    const line = text.slice(0, start).split("\n").length;
    problems.push(`${path}:${line} compares ${name}: timingSafeEqual, of digests of one length`);
  };
  new Visitor({
    BinaryExpression({ left, operator, right, start }) {
      if (!comparing.has(operator) || isPlain(left) || isPlain(right)) return;
      const name = [left, right].map(lastName).find((one) => isSecret(one, path));
      if (name !== undefined) note(start, name);
    },
    CallExpression({ callee, arguments: given, start }) {
      if (!comparingCalls.has(lastName(callee) ?? "")) return;
      const compared = given.map((one) => (one.type === "SpreadElement" ? one.argument : one));
      const own = callee.type === "MemberExpression" ? [callee.object] : [];
      const name = [...own, ...compared].map(lastName).find((one) => isSecret(one, path));
      if (name !== undefined) note(start, name);
    },
  }).visit(program);
  return problems;
}

function isSecret(name: string | undefined, path: string): name is string {
  if (name === undefined || !secretName.test(name)) return false;
  return !/digest$/i.test(name) || !publicDigests.test(path);
}

/** Text that stands in the source, and `undefined` and the like, are no secrets. */
function isPlain(node: Expression | PrivateIdentifier): boolean {
  return (
    node.type === "Literal" ||
    (node.type === "UnaryExpression" && node.operator === "typeof") ||
    (node.type === "Identifier" && node.name === "undefined")
  );
}

function lastName(node: Expression | PrivateIdentifier): string | undefined {
  if (node.type === "Identifier" || node.type === "PrivateIdentifier") return node.name;
  if (node.type === "MemberExpression" && !node.computed) return lastName(node.property);
  return undefined;
}
