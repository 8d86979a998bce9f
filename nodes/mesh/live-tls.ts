import type { Tls } from "./tls.ts";

/** The operator's TLS files as they are now: each link is dialled with the newest. */
export class LiveTls implements Tls {
  #current: Tls;

  constructor(current: Tls) {
    this.#current = current;
  }

  get identity(): Tls["identity"] {
    return this.#current.identity;
  }

  get authorities(): Tls["authorities"] {
    return this.#current.authorities;
  }

  replace(next: Tls): void {
    this.#current = next;
  }
}
