import { isName } from "../relay/flag/name.ts";
import { reportFlagsMax } from "./limits.ts";

/** The last answer that the app got about a flag, and what it was an answer to. */
export interface AskedFlag {
  enabled: boolean;
  fallback: boolean;
  instance: string;
  /** Of the table that the answer is from. */
  revision: number;
}

/** The flags that the app has asked for. Their records are reused, so that asking costs no memory. */
export class AskedFlags {
  readonly #flags = new Map<string, AskedFlag>();

  get(name: string): AskedFlag | undefined {
    return this.#flags.get(name);
  }

  /** What no node would take in a report, or is past its bound, is not kept. */
  note(name: string, answer: AskedFlag): void {
    const held = this.#flags.get(name);
    if (held !== undefined) Object.assign(held, answer);
    else if (this.#flags.size < reportFlagsMax && isFlagName(name)) this.#flags.set(name, answer);
  }

  get list(): { name: string; active: boolean }[] {
    return [...this.#flags].map(([name, { enabled }]) => ({ name, active: enabled }));
  }
}

/** Not everybody who asks is checked by a compiler. */
function isFlagName(name: unknown): boolean {
  return typeof name === "string" && isName(name);
}
