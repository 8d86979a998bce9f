import type { Random } from "../../relay/random.ts";

/** Who is below whom. A parent comes before its children; a node without one shares a site. */
export interface Layout {
  readonly name: string;
  readonly nodes: readonly LayoutNode[];
}

interface LayoutNode {
  readonly name: string;
  readonly site: string;
  readonly parents: readonly string[];
}

const node = (name: string, site: string, ...parents: string[]): LayoutNode => ({
  name,
  site,
  parents,
});

const top = [node("root", "upstream"), node("vendor", "vendor", "root")];

const layouts: readonly Layout[] = [
  {
    name: "chain",
    nodes: [...top, node("site-a1", "site-a", "vendor"), node("site-a2", "site-a")],
  },
  {
    name: "tree",
    nodes: [
      ...top,
      node("site-a1", "site-a", "vendor"),
      node("site-b1", "site-b", "vendor"),
      node("site-c1", "site-c", "site-b1"),
    ],
  },
  {
    name: "wide",
    nodes: [
      ...top,
      node("site-a1", "site-a", "vendor"),
      node("site-a2", "site-a", "vendor"),
      node("site-b1", "site-b", "vendor"),
    ],
  },
  {
    name: "two-parents",
    nodes: [
      ...top,
      node("mirror", "mirror", "root"),
      node("site-a1", "site-a", "vendor", "mirror"),
      node("site-b1", "site-b", "mirror", "vendor"),
    ],
  },
];

export function layoutNamed(name: string): Layout {
  const found = layouts.find((layout) => layout.name === name);
  if (found === undefined) throw new Error(`no layout ${JSON.stringify(name)}`);
  return found;
}

export function drawLayout(random: Random): Layout {
  const drawn = layouts[random.below(layouts.length)];
  if (drawn === undefined) throw new Error("there are no layouts");
  return drawn;
}
