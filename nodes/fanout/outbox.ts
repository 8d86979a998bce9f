import { type NatsConnection, nuid } from "nats";
import { fanoutBytesInFlightMax } from "../../relay/limits.ts";
import { cutIntoParts, headerBytesMax, maxPayloadMin, partHeaders } from "./part.ts";

/**
 * What one connection sends. The client would queue without end for a server that does not read;
 * here each turn of bytes is followed by a ping, and what is not yet answered by a pong is bounded.
 */
export class Outbox {
  readonly #connection: NatsConnection;
  readonly #sender = nuid.next();
  #messagesCount = 0;
  #bytesInFlight = 0;
  #isConfirming = false;
  #waiting: (() => void)[] = [];

  constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  /** Payload that fits one message, headers aside. */
  get payloadBytesMax(): number {
    return Math.max(maxPayloadMin, this.maxPayload) - headerBytesMax;
  }

  /** The server's own bound. */
  get maxPayload(): number {
    return this.#connection.info?.max_payload ?? 0;
  }

  /** False when the message was dropped: the server does not keep up, or the connection ends. */
  send(of: { subject: string; bytes: Uint8Array; reply?: string }): boolean {
    if (this.#connection.isClosed() || this.#connection.isDraining()) return false;
    if (this.#bytesInFlight + of.bytes.length > fanoutBytesInFlightMax) return false;
    this.#publish(of);
    this.#bytesInFlight += of.bytes.length;
    this.#confirmSoon();
    return true;
  }

  /** Waits until half of the bound is free, which leaves the other half to what can not wait. */
  async room(): Promise<void> {
    while (this.#bytesInFlight > fanoutBytesInFlightMax / 2 && !this.#connection.isClosed())
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** To be called when the connection has ended: nothing is waited for any more. */
  end(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #publish({ subject, bytes, reply = "" }: { subject: string; bytes: Uint8Array; reply?: string }) {
    const parts = cutIntoParts(bytes, this.payloadBytesMax);
    if (parts.length === 1) return this.#connection.publish(subject, bytes, { reply });
    const number = this.#messagesCount++;
    for (const [index, part] of parts.entries())
      this.#connection.publish(subject, part, {
        reply,
        headers: partHeaders({ sender: this.#sender, number, index, count: parts.length }),
      });
  }

  /** After this turn of the loop, so that all of it is sent together and confirmed by one pong. */
  #confirmSoon(): void {
    if (this.#isConfirming) return;
    this.#isConfirming = true;
    setImmediate(() => this.#confirm());
  }

  #confirm(): void {
    const bytes = this.#bytesInFlight;
    this.#connection.flush().then(
      () => {
        this.#isConfirming = false;
        this.#bytesInFlight -= bytes;
        for (const resolve of this.#waiting.splice(0)) resolve();
        if (this.#bytesInFlight > 0) this.#confirmSoon();
      },
      // The connection has ended, and with it this outbox.
      () => this.end(),
    );
  }
}
