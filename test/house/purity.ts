import { parseSync, Visitor, type VisitorObject } from "oxc-parser";
import type { SourceFile } from "./source-tree.ts";

/** Names through which time, chance, the outside world or a promise would come in. */
const impureNames = new Set([
  "Date",
  "Math",
  "Promise",
  "Temporal",
  "clearInterval",
  "clearTimeout",
  "console",
  "crypto",
  "fetch",
  "globalThis",
  "performance",
  "process",
  "queueMicrotask",
  "setImmediate",
  "setInterval",
  "setTimeout",
]);

/** Parts of `node:crypto` that draw on chance, or answer later. */
const impureCrypto = /^(random|generate|getRandom|webcrypto|subtle)/;

/** What keeps a file from being a function of its inputs alone, a line each. */
export function impurities({ path, text }: SourceFile): string[] {
  const { module, program } = parseSync(path, text);
  const problems: string[] = [];
  const note = (start: number, what: string): void => {
    const line = text.slice(0, start).split("\n").length;
    problems.push(`${path}:${line} uses ${what}: relay/ is pure`);
  };
  for (const { moduleRequest, entries } of module.staticImports) {
    if (moduleRequest.value !== "node:crypto") continue;
    for (const { importName } of entries) {
      const name = importName.name ?? "the whole module";
      if (importName.name === null || impureCrypto.test(name)) {
        note(moduleRequest.start, `${name} of node:crypto`);
      }
    }
  }
  new Visitor(impurityVisitor(note)).visit(program);
  return problems;
}

function impurityVisitor(note: (start: number, what: string) => void): VisitorObject {
  const names = new Set<number>();
  const isName = (node: { computed: boolean }, name: { start: number }): void => {
    if (!node.computed) names.add(name.start);
  };
  const noteAsync = (node: { async: boolean; start: number }): void => {
    if (node.async) note(node.start, "async");
  };
  return {
    MemberExpression(node) {
      isName(node, node.property);
      if (isArithmetic(node)) names.add(node.object.start);
    },
    Property: (node) => isName(node, node.key),
    PropertyDefinition: (node) => isName(node, node.key),
    MethodDefinition: (node) => isName(node, node.key),
    TSPropertySignature: (node) => isName(node, node.key),
    TSMethodSignature: (node) => isName(node, node.key),
    Identifier(node) {
      if (!names.has(node.start) && impureNames.has(node.name)) note(node.start, node.name);
    },
    FunctionDeclaration: noteAsync,
    FunctionExpression: noteAsync,
    ArrowFunctionExpression: noteAsync,
    AwaitExpression: (node) => note(node.start, "await"),
    ForOfStatement(node) {
      if (node.await) note(node.start, "for await");
    },
    ImportExpression: (node) => note(node.start, "import at run time"),
  };
}

/** Math is let be where it is plainly asked for something else than `random`. */
function isArithmetic(node: {
  computed: boolean;
  object: { type: string; name?: unknown };
  property: { type: string; name?: unknown };
}): boolean {
  return node.object.name === "Math" && !node.computed && node.property.name !== "random";
}
