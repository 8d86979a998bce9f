import { promises as dns } from "node:dns";
import { addressesCountMax, upstreamsCountMax } from "../../relay/limits.ts";
import { formatAddress, parseAddress } from "./address.ts";

/** All of all parents; a parent names others as its nodes come and go. */
const addressesMax = upstreamsCountMax * addressesCountMax;

/**
 * Which of a name's addresses is dialled. The first that takes a connection is what gRPC takes, each time
 * anew: where that one then says nothing, as behind a balancer whose node hangs, the others would never
 * be tried. After such a dial they have their turns, one after the other, and gRPC chooses again after
 * the last. One that answers is kept until it fails.
 */
export class DialTurns {
  /** Dials of an address since one fell silent that came to nothing; none for those of which none did. */
  readonly #failed = new Map<string, number>();

  /** A dial has ended before its first frame. */
  failed(address: string, isSilent: boolean): void {
    const before = this.#failed.get(address);
    if (before === undefined && !isSilent) return;
    this.#failed.delete(address);
    this.#failed.set(address, (before ?? 0) + 1);
    const [oldest] = this.#failed.keys();
    if (this.#failed.size > addressesMax && oldest !== undefined) this.#failed.delete(oldest);
  }

  /** The one that has its turn; undefined at once, or later, where gRPC chooses. */
  next(address: string): Promise<string | undefined> | undefined {
    const turn = this.#failed.get(address);
    return turn === undefined ? undefined : addressAt(address, turn);
  }
}

async function addressAt(address: string, turn: number): Promise<string | undefined> {
  const { host, port } = parseAddress(address) ?? { host: "", port: 0 };
  // A name that only a proxy can resolve is dialled as it was.
  const all = await dns.lookup(host, { all: true }).catch(() => []);
  const found = all[turn % Math.max(1, all.length)];
  return found === undefined || found === all[0]
    ? undefined
    : formatAddress({ host: found.address, port });
}
