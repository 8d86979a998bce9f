import { type CacheContents, readCache } from "./cache-file.ts";
import { Client } from "./client.ts";
import type { KeptFeed } from "./flag-feed.ts";
import { cacheReadMsMax } from "./limits.ts";
import { nodeCalls } from "./node-calls.ts";
import { Problems } from "./problems.ts";
import type { Runtime } from "./runtime.ts";
import { type ConnectOptions, readSettings } from "./settings.ts";
import { atMost } from "./timer.ts";

/**
 * A client that keeps the flags of one app, once it has them or has waited long enough.
 * @throws TypeError for settings that can not work, and for nothing else
 */
export async function connectOn(runtime: Runtime, options: ConnectOptions): Promise<Client> {
  const settings = readSettings(options, runtime.environment);
  const { project, version, cacheFile } = settings;
  const problems = new Problems();
  const startMs = performance.now();
  const reading = keptBy(runtime, { path: cacheFile, problems });
  const kept = await inTime(reading);
  const isSameApp = kept?.project === project && kept.version === version;
  let served: () => void = () => {};
  const flagsCame = new Promise<void>((resolve) => {
    served = resolve;
  });
  const client = new Client({
    app: {
      project,
      version,
      instance: settings.instance ?? kept?.instance ?? randomInstance(),
      dependencies: settings.dependencies,
      former: kept?.project === project && !isSameApp ? kept.version : undefined,
    },
    nodes: settings.urls.map((url) => nodeCalls(url, runtime.fetch)),
    isReporting: settings.isReporting,
    cache: cacheFile && runtime.files ? { files: runtime.files, path: cacheFile } : undefined,
    kept: feedOf(kept, { project, version }),
    reading: reading.then((late) => feedOf(late, { project, version })),
    problems,
    served,
  });
  const waitedMs = performance.now() - startMs;
  await atMost(Math.max(0, settings.waitMs - waitedMs), flagsCame);
  return client;
}

/** Flags of another version may be wrong for this one, so the defaults are safer. */
function feedOf(
  kept: CacheContents | undefined,
  { project, version }: { project: string; version: string },
): KeptFeed | undefined {
  if (kept?.project !== project || kept.version !== version) return undefined;
  return kept.flags && { ...kept, flags: kept.flags };
}

/** Of a disk that is slow, or away, undefined. */
async function inTime(
  reading: Promise<CacheContents | undefined>,
): Promise<CacheContents | undefined> {
  let kept: CacheContents | undefined;
  const read = reading.then((contents) => {
    kept = contents;
  });
  await atMost(cacheReadMsMax, read);
  return kept;
}

/** Resolves once the file has been read, well or not, which may be never. */
async function keptBy(
  { files }: Runtime,
  { path, problems }: { path: string | undefined; problems: Problems },
): Promise<CacheContents | undefined> {
  if (path === undefined) return undefined;
  if (files === undefined) {
    problems.note("cache", "there are no files where this runs", path);
    return undefined;
  }
  // Until it has been read: a disk that is away says nothing, for ever.
  problems.note("cache", "it is still being read", path);
  try {
    const kept = await readCache(files, path);
    problems.clear("cache");
    return kept;
  } catch (thrown) {
    problems.note("cache", thrown);
    return undefined;
  }
}

/** 128 random bits; `crypto.randomUUID` is missing from pages that came without TLS. */
function randomInstance(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
