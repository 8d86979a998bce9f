import { createClient, type Transport } from "@connectrpc/connect";
import { onTestFinished, vi } from "vitest";
import { FlagService, type WatchResponse } from "../../../gen/headwater/v1/apps_pb.ts";

export type Frame = WatchResponse["frame"];

/** A watch stream that is read as fast as frames come. */
export interface Watching {
  readonly frames: Frame[];
  readonly abort: AbortController;
  /** What the stream ended with; undefined for an end without an error. */
  readonly ended: Promise<unknown>;
}

export function startWatching(
  transport: Transport,
  request: { project: string; version?: string; position?: Uint8Array; reports?: boolean },
): Watching {
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const frames: Frame[] = [];
  const read = async (): Promise<void> => {
    const client = createClient(FlagService, transport);
    for await (const { frame } of client.watch(request, { signal: abort.signal }))
      frames.push(frame);
  };
  const ended = read().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { frames, abort, ended };
}

/** The frames once there are so many of them. */
export async function framesOf({ frames }: Watching, count: number): Promise<Frame[]> {
  await until(() => frames.length >= count);
  return frames;
}

export async function until(condition: () => boolean): Promise<void> {
  await vi.waitUntil(condition, { timeout: 20_000, interval: 2 });
}

/** The flags that a client has after these frames, as name to basis points. */
export function flagsAfter(frames: readonly Frame[]): Map<string, number> {
  const flags = new Map<string, number>();
  for (const frame of frames) {
    if (frame.case === "table") flags.clear();
    if (frame.case !== "table" && frame.case !== "delta") continue;
    for (const { name, basisPoints = 0 } of frame.value.flags) flags.set(name, basisPoints);
    if (frame.case === "delta") for (const name of frame.value.removed) flags.delete(name);
  }
  return flags;
}
