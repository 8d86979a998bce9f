import { expect, test } from "vitest";
import { stackSignature } from "../../../relay/telemetry/stack-signature.ts";

/** As many languages write the same three calls, `plan` the innermost. */
const stacks = {
  JavaScript: `Error: boom
    at plan (/app/scheduler.js:10:5)
    at async run (/app/scheduler.js:20:3)
    at main (file:///app/main.js:3:1)`,
  ".NET": `System.InvalidOperationException: boom
   at plan(String job) in /app/Scheduler.cs:line 10
   at run() in /app/Scheduler.cs:line 20
   at main(String[] args) in /app/Program.cs:line 3`,
  Java: `java.lang.IllegalStateException: boom
\tat plan(Scheduler.java:10)
\tat run(Scheduler.java:20)
\tat main(Main.java:3)`,
  Python: `Traceback (most recent call last):
  File "/app/main.py", line 3, in main
    scheduler.run()
    ~~~~~~~~~~~~~^^
  File "/app/scheduler.py", line 20, in run
    plan()
  File "/app/scheduler.py", line 10, in plan
    raise ValueError("boom")
ValueError: boom`,
  Go: `goroutine 1 [running]:
runtime/debug.Stack()
\t/usr/local/go/src/runtime/debug/stack.go:26 +0x5e
panic({0x1234, 0x5678})
\t/usr/local/go/src/runtime/panic.go:787 +0x132
plan(0x1)
\t/app/scheduler.go:10 +0x1d
run(...)
\t/app/scheduler.go:20
main()
\t/app/main.go:3 +0x1d
created by runtime.main in goroutine 2`,
};

const signature = stackSignature({ stack: stacks.JavaScript, message: "boom" });

test.each(Object.entries(stacks))("tells crashes in %s by their functions", (_, stack) => {
  expect(stackSignature({ stack, message: "boom" })).toBe(signature);
  expect(stackSignature({ stack: stack.replaceAll("plan", "guess"), message: "boom" })).not.toBe(
    signature,
  );
});

test("is never of what stands in the message, and is quick whatever that is", () => {
  const secret = `\n    at alice (x:1:1)\n  File "x", line 1, in alice\n`;
  const stack = stacks.Python.replace(/boom$/, secret);
  expect(stackSignature({ stack, message: secret })).toBe(signature);
  for (const piece of ["\n", " ", "at ", " [as ", '  File "', ", line 1, in "])
    stackSignature({ stack: `    at ${piece.repeat(1_000_000)}`, message: "" });
});

test("of very many calls is of the innermost, whichever end they are at", () => {
  const outer = Array.from({ length: 10_000 }, (_, at) => `  File "x", line ${at}, in outer`);
  const inner = ["e", "d", "c", "b", "a"].map((name) => `  File "x", line 1, in ${name}`);
  const deep = stackSignature({ stack: [...outer, ...inner].join("\n"), message: "" });
  expect(deep).toBe(stackSignature({ stack: inner.join("\n"), message: "" }));
});
