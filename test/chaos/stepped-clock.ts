// Loaded before a node: steps the clock of its JavaScript with a signal each, as a machine's clock is
// stepped by hand. The machine's own is everybody's; monotonic time and OpenSSL's clock go on as they are.
import process from "node:process";

const dayMs = 24 * 60 * 60_000;

const Right = Date;
let offsetMs = 0;

globalThis.Date = new Proxy(Right, {
  construct: (_, given: number[], asked: typeof Date) =>
    Reflect.construct(Right, given.length === 0 ? [now()] : given, asked) as Date,
  apply: () => new Right(now()).toString(),
  get: (target, name, asked) =>
    name === "now" ? now : (Reflect.get(target, name, asked) as unknown),
});

process.on("SIGUSR2", () => {
  offsetMs = offsetMs === 0 ? dayMs : 0;
});
process.on("SIGWINCH", () => {
  offsetMs = offsetMs === 0 ? -dayMs : 0;
});

function now(): number {
  return Right.now() + offsetMs;
}
