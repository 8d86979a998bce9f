import type { Random } from "../../relay/random.ts";

/** How an input was answered: with a status of HTTP or gRPC, or by closing the connection. */
export type Answer = "ok" | "refused" | "closed";

/** A port, and a way to speak to it. */
export interface Door {
  readonly name: string;
  /** Of the inputs at all ports. */
  readonly share: number;
  /** @throws when it was answered as nothing from outside may be answered */
  attempt(random: Random): { input: Uint8Array; answer: Promise<Answer> };
}

/** Nobody waits longer for an answer to one input. */
export const answerMsMax = 20_000;
