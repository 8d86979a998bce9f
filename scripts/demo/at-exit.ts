import process from "node:process";

const pending = new Set<() => void>();

process.on("exit", () => {
  for (const undo of pending) undo();
});

/** Undoes something when this process ends, however it ends; calling the answer drops that. */
export function atExit(undo: () => void): () => void {
  pending.add(undo);
  return () => pending.delete(undo);
}
