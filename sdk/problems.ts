/** The parts of the library that can fail for a while. */
export type ProblemSource = "flags" | "report" | "cache" | "listener" | "call";

/** What is wrong now, a sentence for each part: the library never throws it at the app. */
export class Problems {
  readonly #problems = new Map<ProblemSource, string>();

  get list(): readonly string[] {
    return [...this.#problems.values()];
  }

  /** `where` says at which address or path. */
  note(source: ProblemSource, thrown: unknown, where = ""): void {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const place = where === "" ? "" : ` ${where}:`;
    this.#problems.set(source, withoutPasswords(`${source}:${place} ${message}`));
  }

  clear(source: ProblemSource): void {
    this.#problems.delete(source);
  }
}

/** What a proxy lets in with stands in the node's address, and in what some runtimes say of it. */
function withoutPasswords(text: string): string {
  return text.replaceAll(/\/\/[^/?#\s]*@/g, "//");
}
