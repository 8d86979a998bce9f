import {
  type EvaluationContext,
  type JsonValue,
  OpenFeatureEventEmitter,
  type Provider,
  ProviderEvents,
  type ResolutionDetails,
} from "@openfeature/server-sdk";
import type { Client } from "../client.ts";
import { answer, answerOfOtherType } from "./answer.ts";
import { Connection } from "./connection.ts";

type Answer<T> = Promise<ResolutionDetails<T>>;

/** A provider for the server SDK of OpenFeature, over any way to connect. */
export class ServerProvider implements Provider {
  readonly metadata: { readonly name: string } = { name: "headwater" };
  readonly runsOn = "server";
  readonly events: OpenFeatureEventEmitter = new OpenFeatureEventEmitter();
  readonly #connection: Connection;

  constructor(connect: () => Promise<Client>) {
    this.#connection = new Connection(connect, {
      ready: () => this.events.emit(ProviderEvents.Ready),
      changed: (flagsChanged) =>
        this.events.emit(ProviderEvents.ConfigurationChanged, { flagsChanged }),
      stale: (message) => this.events.emit(ProviderEvents.Stale, { message }),
    });
  }

  /** For what OpenFeature has no words: health, crashes, problems. Undefined until it is connected. */
  get client(): Client | undefined {
    return this.#connection.client;
  }

  initialize(): Promise<void> {
    return this.#connection.start();
  }

  onClose(): Promise<void> {
    return this.#connection.close();
  }

  async resolveBooleanEvaluation(
    flag: string,
    fallback: boolean,
    context: EvaluationContext,
  ): Answer<boolean> {
    return answer(this.client, { flag, fallback, context });
  }

  async resolveStringEvaluation(
    flag: string,
    fallback: string,
    context: EvaluationContext,
  ): Answer<string> {
    return answerOfOtherType(this.client, { flag, fallback, context });
  }

  async resolveNumberEvaluation(
    flag: string,
    fallback: number,
    context: EvaluationContext,
  ): Answer<number> {
    return answerOfOtherType(this.client, { flag, fallback, context });
  }

  async resolveObjectEvaluation<T extends JsonValue>(
    flag: string,
    fallback: T,
    context: EvaluationContext,
  ): Answer<T> {
    return answerOfOtherType(this.client, { flag, fallback, context });
  }

  /** What is tracked is a feature that is used, which a census may ask about. */
  track(feature: string): void {
    this.client?.used(feature);
  }
}
