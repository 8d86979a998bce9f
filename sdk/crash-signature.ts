import { stackSignature } from "../relay/telemetry/stack-signature.ts";

/** The signature of whatever was thrown; that of no names where it has no stack. */
export function crashSignature(error: unknown): string {
  return stackSignature(partsOf(error));
}

function partsOf(error: unknown): { stack: string; message: string } {
  try {
    const { stack, message } = error as { stack?: unknown; message?: unknown };
    return { stack: textOf(stack), message: textOf(message) };
  } catch {
    // Nobody's getter may break the app that is reporting a crash already.
    return { stack: "", message: "" };
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
