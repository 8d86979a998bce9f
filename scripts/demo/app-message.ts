import type { Health } from "../../sdk/index.ts";

/** One running copy of an app. */
export interface Instance {
  readonly id: string;
  readonly version: string;
  readonly health: Health;
}

/** A flag that the app's code asks for, and what it does where nothing is known of the flag. */
export interface AskedFlag {
  readonly name: string;
  readonly otherwise: boolean;
}

/** What an app process is to run. */
export interface StartApps {
  readonly project: string;
  /** Nodes to try in order. */
  readonly urls: readonly string[];
  readonly instances: readonly Instance[];
  readonly flags: readonly AskedFlag[];
}

/** An instance has an answer about a flag, or another one than before. */
export interface AppAnswer {
  readonly instance: string;
  readonly flag: string;
  readonly enabled: boolean;
}

/** What an app process says: all answers once it has started, then each that changes. */
export type AppMessage =
  | { readonly started: readonly AppAnswer[] }
  | { readonly changed: AppAnswer };
