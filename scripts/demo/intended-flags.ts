import type { AdminClient } from "../../nodes/cli/admin-client.ts";
import { decide } from "../../relay/flag/effective-flag.ts";
import { buildOf } from "../../relay/layers/build.ts";
import { effectiveFlag } from "../../relay/layers/fold.ts";
import { Layer } from "../../relay/layers/layer.ts";
import { entryHash } from "../../relay/ledger/entry.ts";
import type { HeldEntry } from "../../relay/ledger/ledger.ts";
import type { AskedFlag, Instance } from "./app-message.ts";

/** Entries to put, keys to delete. */
export interface Changes {
  readonly entries: readonly { readonly key: string; readonly value: Uint8Array }[];
  readonly tombstones: readonly string[];
}

/** What every instance should see: the root's ledger, judged here instead of three hops away. */
export class IntendedFlags {
  readonly #entries = new Map<string, HeldEntry>();
  readonly #layer: Layer = new Layer();

  /** As the root has them now. */
  static async read(admin: AdminClient, project: string): Promise<IntendedFlags> {
    const { entries } = await admin.ledgers.getLedger({ project });
    const intended = new IntendedFlags();
    intended.apply({ entries, tombstones: [] });
    return intended;
  }

  get names(): string[] {
    return [...this.#layer.flags.keys()];
  }

  apply({ entries, tombstones }: Changes): void {
    for (const entry of entries)
      this.#entries.set(entry.key, { value: entry.value, hash: entryHash(entry) });
    for (const key of tombstones) this.#entries.delete(key);
    this.#layer.update(this.#entries, [...entries.map(({ key }) => key), ...tombstones]);
  }

  isOn({ name, otherwise }: AskedFlag, { id, version }: Instance): boolean {
    const build = buildOf(this.#layer, [], version);
    const effective = effectiveFlag({ own: this.#layer, overlays: [] }, name, build);
    return decide(effective, id, otherwise).enabled;
  }
}
