import { connect } from "nats";

/** A message as it was heard. */
interface Heard {
  readonly subject: string;
  readonly data: Uint8Array;
}

/** What is kept to be said again. */
const keptMax = 200;

/**
 * Somebody on the same NATS who says all that nodes say to each other once more, at once and later, in
 * another order, and rubbish between.
 */
export class Echo {
  readonly #url: string;
  #end: (() => Promise<void>) | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  async begin(): Promise<void> {
    const connection = await connect({ servers: new URL(this.#url).host, noEcho: true });
    const kept: Heard[] = [];
    connection.subscribe("headwater.*.frames", {
      callback: (_error, { subject, data }) => {
        connection.publish(subject, data);
        kept.push({ subject, data: data.slice() });
        if (kept.length > keptMax) kept.shift();
      },
    });
    await connection.flush();
    this.#end = async () => {
      for (const { subject, data } of kept.toReversed()) {
        connection.publish(subject, data);
        connection.publish(subject, data.subarray(0, data.length / 2));
      }
      await connection.flush();
      await connection.close();
    };
  }

  async end(): Promise<void> {
    await this.#end?.();
    this.#end = undefined;
  }
}
