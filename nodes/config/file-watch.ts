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

function marksOf(files: readonly string[]): string {
  return files.map(markOf).join("\n");
}

/** Of a change of its mode, too: what could not be read may be readable now. */
function markOf(file: string): string {
  try {
    const { ino, ctimeNs, mtimeNs, size } = statSync(file, { bigint: true });
    return `${ino} ${ctimeNs} ${mtimeNs} ${size}`;
  } catch (error) {
    // One that is gone or out of reach for a moment has a mark of its own, and is looked at again.
    return String(error);
  }
}
