import { statSync } from "node:fs";
import process from "node:process";

/**
 * Calls back when one of the files has become another: found out by looking now and then, because
 * a file that is replaced by a link or on a network disk tells nobody, and at once on SIGHUP.
 */
export function watchFiles(of: {
  readonly files: readonly string[];
  readonly everyMs: number;
  readonly signal: AbortSignal;
  readonly changed: () => void;
}): void {
  const { files, everyMs, signal, changed } = of;
  if (files.length === 0) return;
  let known = marksOf(files);
  const look = (): void => {
    const now = marksOf(files);
    if (now === known) return;
    known = now;
    changed();
  };
  const timer = setInterval(look, everyMs).unref();
  process.on("SIGHUP", look);
  signal.addEventListener(
    "abort",
    () => {
      clearInterval(timer);
      process.off("SIGHUP", look);
    },
    { once: true },
  );
}

/** A file that is gone for a moment has a mark of its own, and is looked at again. */
function marksOf(files: readonly string[]): string {
  const marks = files.map((file) => {
    const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
    return stat === undefined ? "" : `${stat.ino} ${stat.mtimeNs} ${stat.size}`;
  });
  return marks.join("\n");
}
