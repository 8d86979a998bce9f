/** What somebody has in the room. */
interface Owned {
  bytes: number;
  /** Bytes by key, in the order in which they came. */
  readonly keys: Map<string, number>;
}

/**
 * A room of so many bytes that several share. Whoever has less than an equal share always finds
 * place: those with the most make it, with what they put there first.
 */
export class FairRoom {
  readonly #bytesMax: number;
  readonly #owners = new Map<string, Owned>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The keys that have to go first; undefined when the owner has its share already. */
  makeRoom(of: { owner: string; key: string; bytes: number }): string[] | undefined {
    const { owner, key, bytes } = of;
    const own = this.#owners.get(owner);
    const growth = bytes - (own?.keys.get(key) ?? 0);
    const over = this.#bytes + growth - this.#bytesMax;
    if (over <= 0) return [];
    const ownersCount = this.#owners.size + (own === undefined ? 1 : 0);
    if ((own?.bytes ?? 0) + growth > this.#bytesMax / ownersCount) return undefined;
    return this.#largest(owner, over);
  }

  put(of: { owner: string; key: string; bytes: number }): void {
    const { owner, key, bytes } = of;
    this.drop(owner, key);
    const own = this.#owners.get(owner) ?? { bytes: 0, keys: new Map<string, number>() };
    this.#owners.set(owner, own);
    own.keys.set(key, bytes);
    own.bytes += bytes;
    this.#bytes += bytes;
  }

  drop(owner: string, key: string): void {
    const own = this.#owners.get(owner);
    if (own === undefined) return;
    const bytes = own.keys.get(key) ?? 0;
    this.#bytes -= bytes;
    own.bytes -= bytes;
    own.keys.delete(key);
    if (own.keys.size === 0) this.#owners.delete(owner);
  }

  /** The oldest of whoever has the most, until so many bytes are free. */
  #largest(but: string, bytes: number): string[] {
    const others = [...this.#owners]
      .filter(([owner]) => owner !== but)
      .map(([, held]) => ({ bytes: held.bytes, keys: held.keys.entries() }));
    const keys: string[] = [];
    for (let free = 0; free < bytes; ) {
      const most = others.reduce((a, b) => (b.bytes > a.bytes ? b : a));
      const [key = "", size = 0] = most.keys.next().value ?? [];
      keys.push(key);
      most.bytes -= size;
      free += size;
    }
    return keys;
  }
}
