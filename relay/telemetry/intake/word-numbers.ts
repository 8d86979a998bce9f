/**
 * Small numbers for words, as long as somebody uses them: a million instances that name the same
 * few words keep four bytes of each instead of a string.
 */
export class WordNumbers {
  readonly #max: number;
  readonly #numbers = new Map<string, number>();
  readonly #words: string[] = [];
  readonly #uses: number[] = [];
  readonly #free: number[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  /** All numbers are below this. */
  get end(): number {
    return this.#words.length;
  }

  numberOf(word: string): number | undefined {
    return this.#numbers.get(word);
  }

  /** One use more of a word; undefined when there is no room for another one. */
  use(word: string): number | undefined {
    const held = this.#numbers.get(word);
    if (held === undefined && this.#numbers.size >= this.#max) return undefined;
    const number = held ?? this.#free.pop() ?? this.#words.length;
    this.#numbers.set(word, number);
    this.#words[number] = word;
    this.#uses[number] = (held === undefined ? 0 : (this.#uses[number] ?? 0)) + 1;
    return number;
  }

  /** One use less; after the last one the number is another word's. */
  release(number: number): void {
    const uses = (this.#uses[number] ?? 0) - 1;
    this.#uses[number] = uses;
    if (uses > 0) return;
    this.#numbers.delete(this.wordOf(number));
    this.#words[number] = "";
    this.#free.push(number);
  }

  wordOf(number: number): string {
    return this.#words[number] ?? "";
  }
}
