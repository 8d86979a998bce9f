import { crashFramesMax, stackLengthMax } from "./limits.ts";

/**
 * What tells one crash from another: FNV-1a, 64 bits in hex, of the names of the innermost functions
 * that have one; equal for all crashes without any. Never of the message, a path or a line. The hash
 * hides nothing, and need not: names of published code are no secret. It runs everywhere, at once.
 * Offset and prime: draft-eastlake-fnv.
 */
export function crashSignature(error: unknown): string {
  return fnv1a64(functionNames(error).join("\n"));
}

function functionNames(error: unknown): string[] {
  const trace = traceOf(error);
  const pattern = /^\s+at /m.test(trace) ? V8_FRAME_PATTERN : OTHER_FRAME_PATTERN;
  const names = trace.split("\n").map((line) => pattern.exec(line)?.[1] ?? "");
  return names.filter((name) => name !== "" && !name.includes("<")).slice(0, crashFramesMax);
}

/** The stack without the message, which may hold lines that look like a stack. */
function traceOf(error: unknown): string {
  try {
    const { stack, message } = error as { stack?: unknown; message?: unknown };
    if (typeof stack !== "string") return "";
    const at = typeof message === "string" ? stack.indexOf(message) : -1;
    const trace = at < 0 ? stack : stack.slice(at + String(message).length);
    return trace.slice(0, stackLengthMax);
  } catch {
    // Nobody's getter may break the app that is reporting a crash already.
    return "";
  }
}

/** `    at async Scheduler.run (file:1:2)`; frames of Node itself differ from one Node to the next. */
const V8_FRAME_PATTERN = /^\s+at (?:async )?(?:new )?([^(]+?)(?: \[as [^\]]+\])? \((?!node:)/;

/** `run@file:1:2`, of SpiderMonkey and JavaScriptCore. */
const OTHER_FRAME_PATTERN = /^(?:async\*)?([^@\s]+)@\S+:\d+$/;

function fnv1a64(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, "0");
}
