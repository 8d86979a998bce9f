/** Frames that a crash is told apart by; more would tell builds apart, not crashes. */
const framesCountMax = 5;

/** Above the longest stack that runtimes give by default; of a longer one both ends are read. */
const stackLengthMax = 16 * 1024;

/** Function names are shorter; patterns must not be kept busy by what is no frame. */
const lineLengthMax = 500;

/**
 * What tells one crash from another: FNV-1a, 64 bits in hex, of the names of the innermost functions
 * that have one; equal for all crashes without any. Never of the message, a path or a line. The hash
 * hides nothing, and need not: names of published code are no secret. It runs everywhere, at once.
 * `message` is cut out of the stack, for it may hold lines that look like one.
 * Offset and prime: draft-eastlake-fnv.
 */
export function stackSignature(of: { stack: string; message: string }): string {
  const names = isNewestLast(of.stack) ? pythonNames(of) : otherNames(of);
  return fnv1a64(names.slice(0, framesCountMax).join("\n"));
}

function isNewestLast(stack: string): boolean {
  return stack.startsWith("Traceback (most recent call last)");
}

/** Python: `  File "file", line 1, in run`. */
function pythonNames({ stack, message }: { stack: string; message: string }): string[] {
  const at = message === "" ? -1 : stack.lastIndexOf(message);
  const lines = linesOf(at < 0 ? stack : stack.slice(0, at));
  return namesIn(lines, /^\s+File ".*", line \d+, in (\S+)$/).toReversed();
}

function otherNames({ stack, message }: { stack: string; message: string }): string[] {
  const at = message === "" ? -1 : stack.indexOf(message);
  const lines = linesOf(at < 0 ? stack : stack.slice(at + message.length));
  if (lines.some((line) => /^\s+at /.test(line))) return namesIn(lines, atFrame);
  const isGo = stack.startsWith("goroutine ");
  return namesIn(lines, isGo ? goFrame : otherFrame);
}

/**
 * V8: `    at async Scheduler.run (file:1:2)`; frames of Node itself differ between versions. .NET:
 * `   at Scheduler.Run(String job) in file:line 1`; Java: `\tat a.Scheduler.run(Scheduler.java:1)`.
 */
const atFrame = /^\s+at (?:async )?(?:new )?([^(\s][^(]*?|)(?: \[as [^\]]+\])? ?\((?!node:)/;

/** `main.(*Scheduler).run(0x1, ...)` above `\tfile:1 +0x2`. */
const goFrame = /^(?!goroutine |created by |runtime[./]|panic\()(\S+)\(.*\)$/;

/** `run@file:1:2`, of SpiderMonkey and JavaScriptCore. */
const otherFrame = /^(?:async\*)?([^@\s]+)@\S+:\d+$/;

function namesIn(lines: readonly string[], frame: RegExp): string[] {
  const names = lines.map((line) => frame.exec(line)?.[1] ?? "");
  return names.filter((name) => name !== "" && !name.includes("<"));
}

function linesOf(trace: string): string[] {
  const isLong = trace.length > 2 * stackLengthMax;
  const ends = isLong ? [trace.slice(0, stackLengthMax), trace.slice(-stackLengthMax)] : [trace];
  return ends.flatMap((end) => end.split("\n")).map((line) => line.slice(0, lineLengthMax));
}

function fnv1a64(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, "0");
}
