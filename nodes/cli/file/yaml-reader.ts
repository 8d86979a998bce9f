import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
} from "yaml";
import { shortened } from "../../../relay/quoted.ts";
import { nearestName } from "../../config/nearest-name.ts";

/** A value of a map, with where its key and it stand. */
export interface YamlField {
  readonly name: string;
  readonly key: YamlPlace;
  readonly value: YamlPlace;
}

/** A node and what people call it: `flags.fast-path.kill`. */
export interface YamlPlace {
  readonly label: string;
  readonly node: Node | null;
  /** Where to point when there is no node. */
  readonly offset: number;
}

/**
 * Reads a YAML or JSON document piece by piece. What is not as asked for becomes a problem with
 * file, line and column; the piece is then undefined, and the reading goes on.
 */
export class YamlReader {
  readonly problems: string[] = [];
  readonly root: YamlPlace;
  readonly #path: string;
  readonly #lines = new LineCounter();
  readonly #document: Document.Parsed;

  constructor(path: string, text: string) {
    this.#path = path;
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      // It compares each with all before it, which takes many seconds for a file of many flags.
      uniqueKeys: false,
    });
    this.root = { label: "", node: this.#document.contents, offset: 0 };
    for (const { message, pos } of [...this.#document.errors, ...this.#document.warnings])
      this.#report(pos[0], "", message);
  }

  report(place: YamlPlace, problem: string): void {
    const node = this.#resolved(place) ?? place.node;
    this.#report(node?.range?.[0] ?? place.offset, place.label, problem);
  }

  /** The fields of a map; with `known`, only those may be there. */
  fields(place: YamlPlace, known?: readonly string[]): YamlField[] | undefined {
    const node = this.#resolved(place);
    if (!isMap(node)) return this.#not(place, "a map of names and values");
    const names = new Set<string>();
    const fields = node.items.flatMap(({ key, value }) => {
      const keyPlace = this.#inside(place, key, "");
      const name = this.text({ ...keyPlace, label: place.label || "key" });
      if (name === undefined) return [];
      const label = place.label === "" ? name : `${place.label}.${name}`;
      if (names.has(name)) this.report({ ...keyPlace, label }, "is there twice");
      names.add(name);
      const valuePlace = { label, node: asNode(value), offset: this.#offsetOf(keyPlace) };
      return [{ name, key: { ...keyPlace, label }, value: valuePlace }];
    });
    if (known === undefined) return fields;
    for (const { name, key } of fields.filter((field) => !known.includes(field.name)))
      this.report(key, `not known here: did you mean ${nearestName(name, known)}?`);
    return fields.filter((field) => known.includes(field.name));
  }

  items(place: YamlPlace): YamlPlace[] | undefined {
    const node = this.#resolved(place);
    if (!isSeq(node)) return this.#not(place, "a list");
    return node.items.map((item, at) => this.#inside(place, item, `[${at}]`));
  }

  /** A text. Numbers are refused, because YAML has already changed them: 2.10 is 2.1 to it. */
  text(place: YamlPlace): string | undefined {
    const scalar = this.scalar(place);
    if (scalar === undefined) return undefined;
    if (typeof scalar.value === "string") return scalar.value;
    const { source } = scalar;
    const became = String(scalar.value);
    this.report(
      place,
      became === source
        ? `${source} is a ${typeof scalar.value} to YAML; write "${source}"`
        : `${source} would become ${became}; write "${source}"`,
    );
    return undefined;
  }

  /** A value that is no list and no map; `source` is what the file says. */
  scalar(place: YamlPlace): { value: unknown; source: string } | undefined {
    const node = this.#resolved(place);
    if (node === null || (isScalar(node) && node.value === null))
      return this.#not(place, "a value");
    if (!isScalar(node)) return this.#not(place, "a single value");
    return { value: node.value, source: sourceOf(node) };
  }

  #not(place: YamlPlace, wanted: string): undefined {
    const what = isAlias(place.node) ? `*${place.node.source} is` : "there is";
    const found = isMissing(this.#resolved(place)) ? `; ${what} nothing` : "";
    this.report(place, `has to be ${wanted}${found}`);
  }

  #inside(place: YamlPlace, node: unknown, suffix: string): YamlPlace {
    return { label: `${place.label}${suffix}`, node: asNode(node), offset: this.#offsetOf(place) };
  }

  #offsetOf(place: YamlPlace): number {
    return place.node?.range?.[0] ?? place.offset;
  }

  /** What an alias stands for; a dangling one stands for nothing. */
  #resolved({ node }: YamlPlace): Node | null {
    return isAlias(node) ? (node.resolve(this.#document) ?? null) : node;
  }

  #report(offset: number, label: string, problem: string): void {
    const { line, col } = this.#lines.linePos(offset);
    const what = label === "" ? "" : `${label}: `;
    this.problems.push(`${this.#path}:${line}:${col}: ${shortened(what + problem)}`);
  }
}

function isMissing(node: Node | null): boolean {
  return node === null || (isScalar(node) && node.value === null);
}

function sourceOf(scalar: Scalar): string {
  return scalar.source ?? String(scalar.value);
}

function asNode(value: unknown): Node | null {
  return isAlias(value) || isScalar(value) || isMap(value) || isSeq(value) ? value : null;
}
