import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** What a line does to what passes: see each. */
export type LineFault =
  /** Nothing. */
  | "none"
  /** Every chunk waits for a while, so answers come late. */
  | "delay"
  /** Connections end at once, and new ones are not taken. */
  | "cut"
  /** Nothing passes, and nobody is told: as when a cable is out. */
  | "stall"
  /** Every chunk is cut in half, and the connection ends after it. */
  | "halve"
  /** Rubbish is sent between what passes. */
  | "garble";

const delayMs = 400;

/** A TCP line between two parties of this machine that can be bad in several ways. */
export class BadLine implements AsyncDisposable {
  readonly #server: Server;
  readonly #toPort: number;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #fault: LineFault = "none";
  port = 0;

  private constructor(toPort: number) {
    this.#toPort = toPort;
    this.#server = createServer((near) => this.#join(near));
  }

  /** @param port where it is to listen; any that is free unless given */
  static async open(of: { toPort: number; port?: number }): Promise<BadLine> {
    const line = new BadLine(of.toPort);
    line.#server.listen(of.port ?? 0, "127.0.0.1");
    await once(line.#server, "listening");
    const address = line.#server.address();
    if (address !== null && typeof address !== "string") line.port = address.port;
    return line;
  }

  /** From now on; what is held up by a fault goes on when it ends. */
  set(fault: LineFault): void {
    this.#fault = fault;
    for (const pair of this.#pairs)
      for (const socket of pair) {
        if (fault === "cut") socket.destroy();
        else if (fault === "stall") socket.pause();
        else socket.resume();
      }
  }

  /** So many connections that say rubbish, or nothing, to whoever is behind the line. */
  async flood(count: number): Promise<void> {
    const sockets = Array.from({ length: count }, (_, n) => {
      const socket = connect(this.#toPort, "127.0.0.1");
      socket.on("error", () => {});
      if (n % 2 === 0) socket.write(Buffer.alloc(20_000, `${n} rubbish\r\n`));
      return socket;
    });
    await Promise.all(
      sockets.map((socket) =>
        Promise.race([once(socket, "connect"), once(socket, "close")]).catch(() => {}),
      ),
    );
    for (const socket of sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.set("cut");
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(near: Socket): void {
    if (this.#fault === "cut") {
      near.destroy();
      return;
    }
    const far = connect(this.#toPort, "127.0.0.1");
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    for (const [from, to] of [pair, [far, near] as const]) {
      from.on("data", (chunk) => this.#pass(chunk, from, to));
      from.on("error", () => {});
      from.once("close", () => {
        to.destroy();
        this.#pairs.delete(pair);
      });
    }
    if (this.#fault === "stall") for (const socket of pair) socket.pause();
  }

  #pass(chunk: Buffer, from: Socket, to: Socket): void {
    switch (this.#fault) {
      case "delay":
        setTimeout(() => this.#write(chunk, from, to), delayMs);
        return;
      case "halve":
        to.end(chunk.subarray(0, Math.ceil(chunk.length / 2)));
        from.destroy();
        return;
      case "garble":
        to.write(Buffer.alloc(64, 0xff));
        this.#write(chunk, from, to);
        return;
      case "none":
      case "cut":
      case "stall":
        this.#write(chunk, from, to);
    }
  }

  #write(chunk: Buffer, from: Socket, to: Socket): void {
    if (to.write(chunk) || to.destroyed) return;
    from.pause();
    to.once("drain", () => {
      if (this.#fault !== "stall") from.resume();
    });
  }
}
