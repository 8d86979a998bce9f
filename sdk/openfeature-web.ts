import {
  type EvaluationContext,
  type JsonValue,
  OpenFeatureEventEmitter,
  type Provider,
  ProviderEvents,
  type ResolutionDetails,
} from "@openfeature/web-sdk";
import type { Client } from "./client.ts";
import { answer, answerOfOtherType } from "./openfeature/answer.ts";
import { Connection } from "./openfeature/connection.ts";
import type { ConnectOptions } from "./settings.ts";
import { connect } from "./web.ts";

export type { ConnectOptions } from "./settings.ts";

/** Headwater's flags for the web SDK of OpenFeature; settings as for `connect`. */
export class HeadwaterWebProvider implements Provider {
  readonly metadata: { readonly name: string } = { name: "headwater" };
  readonly runsOn = "client";
  readonly events: OpenFeatureEventEmitter = new OpenFeatureEventEmitter();
  readonly #connection: Connection;

  constructor(options: ConnectOptions = {}) {
    this.#connection = new Connection(() => connect(options), {
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

  resolveBooleanEvaluation(
    flag: string,
    fallback: boolean,
    context: EvaluationContext,
  ): ResolutionDetails<boolean> {
    return answer(this.client, { flag, fallback, context });
  }

  resolveStringEvaluation(
    flag: string,
    fallback: string,
    context: EvaluationContext,
  ): ResolutionDetails<string> {
    return answerOfOtherType(this.client, { flag, fallback, context });
  }

  resolveNumberEvaluation(
    flag: string,
    fallback: number,
    context: EvaluationContext,
  ): ResolutionDetails<number> {
    return answerOfOtherType(this.client, { flag, fallback, context });
  }

  resolveObjectEvaluation<T extends JsonValue>(
    flag: string,
    fallback: T,
    context: EvaluationContext,
  ): ResolutionDetails<T> {
    return answerOfOtherType(this.client, { flag, fallback, context });
  }

  /** What is tracked is a feature that is used, which a census may ask about. */
  track(feature: string): void {
    this.client?.used(feature);
  }
}
