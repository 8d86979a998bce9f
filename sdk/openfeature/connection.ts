import { GeneralError, ProviderFatalError } from "@openfeature/core";
import type { Client } from "../client.ts";
import type { Freshness } from "../freshness.ts";
import { startTimer } from "../timer.ts";

/** What the SDKs of OpenFeature want to hear of a provider once it has started. */
export interface Signals {
  readonly ready: () => void;
  readonly changed: (flags: string[]) => void;
  readonly stale: (message: string) => void;
}

/** The client of one provider, from its start to its end; it may be started again, and by several. */
export class Connection {
  readonly #connect: () => Promise<Client>;
  readonly #signals: Signals;
  #client: Client | undefined;
  /** What all starts until the next end wait for, so that one which was overtaken by the end can tell. */
  #opening: Promise<Client> | undefined;

  constructor(connect: () => Promise<Client>, signals: Signals) {
    this.#connect = connect;
    this.#signals = signals;
  }

  get client(): Client | undefined {
    return this.#client;
  }

  /**
   * Resolves with flags held, be they from the cache file. Without any it keeps trying all the same,
   * and signals when it is ready.
   * @throws ProviderFatalError for settings that can not work, GeneralError when there are no flags
   */
  async start(): Promise<void> {
    this.#opening ??= this.#connect();
    const opening = this.#opening;
    const client = await opening.catch((thrown: unknown) => {
      if (opening === this.#opening) this.#opening = undefined;
      throw new ProviderFatalError(thrown instanceof Error ? thrown.message : String(thrown));
    });
    if (opening !== this.#opening) return client.close();
    if (client !== this.#client) this.#take(client);
    const { freshness, problems } = client;
    if (freshness === "EMPTY") {
      throw new GeneralError(["no node has sent flags yet", ...problems].join("; "));
    }
    // The SDK calls a provider ready once this has resolved, whatever was signalled before.
    if (freshness !== "FRESH") startTimer(0, () => this.#signal(client, client.freshness));
  }

  async close(): Promise<void> {
    this.#opening = undefined;
    const client = this.#client;
    this.#client = undefined;
    await client?.close();
  }

  #take(client: Client): void {
    this.#client = client;
    client.on("update", (flags) => this.#signals.changed([...flags]));
    client.on("freshness", (freshness) => this.#signal(client, freshness));
  }

  #signal(client: Client, freshness: Freshness): void {
    if (this.#client !== client) return;
    if (freshness === "FRESH") this.#signals.ready();
    else this.#signals.stale(`the flags are ${freshness}: no node vouches for them`);
  }
}
