/** What hindered the last write; empty when it is durable. */
export class DiskNews {
  #problem = "";

  get problem(): string {
    return this.#problem;
  }

  settled(problem: string): void {
    this.#problem = problem;
  }
}
