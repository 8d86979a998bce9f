import type { HandlerContext } from "@connectrpc/connect";
import { secondMs } from "../../relay/cadence.ts";
import type { NodeAccess } from "../access.ts";
import type { Authorization } from "./authorization.ts";
import { admittedKey } from "./call-origin.ts";

/** How often is looked whether a token still lets in who has opened a stream with it. */
const lookIntervalMs = secondMs;

/** Aborted when the call ends, and when the token that let it in is revoked or over. */
export type WhileAdmitted = (context: HandlerContext) => AbortSignal;

/** A stream may go on for days, and a token is looked at when it begins. */
export function whileAdmitted(access: NodeAccess, authorization: Authorization): WhileAdmitted {
  return (context) => {
    const over = new AbortController();
    const admitted = context.values.get(admittedKey);
    const timer = setInterval(() => {
      if (!authorization.holds(admitted, access.now().wallMs)) over.abort();
    }, lookIntervalMs).unref();
    const signal = AbortSignal.any([context.signal, over.signal]);
    signal.addEventListener("abort", () => clearInterval(timer), { once: true });
    if (signal.aborted) clearInterval(timer);
    return signal;
  };
}
