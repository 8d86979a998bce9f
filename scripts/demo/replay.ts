import { readFileSync } from "node:fs";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { FlagSchema } from "../../gen/headwater/v1/flag_pb.ts";
import { type AdminClient, openAdminClient } from "../../nodes/cli/admin-client.ts";
import { HASH_VERSION } from "../../relay/flag/bucket.ts";
import { entryKey } from "../../relay/ledger/entry.ts";
import type { AppCrowd } from "./app-crowd.ts";
import type { NodeProcess } from "./node-process.ts";
import { say } from "./tour.ts";

interface HistoryChange {
  readonly flag: string;
  readonly percent?: number;
  readonly versions?: string;
  readonly kill?: boolean;
  readonly removed?: boolean;
}

interface ChangeSet {
  readonly at: string;
  readonly changes: readonly HistoryChange[];
}

export interface Replay {
  readonly changeSets: readonly ChangeSet[];
  readonly killsCount: number;
  readonly removalsCount: number;
}

/** Switched by each commit of the replay, so that an app can tell that it has come. */
const marker = "replayed";

export function readHistory(): Replay {
  const file = join(import.meta.dirname, "rollout-history.json");
  const { changeSets } = JSON.parse(readFileSync(file, "utf8")) as { changeSets: ChangeSet[] };
  const changes = changeSets.flatMap((set) => set.changes);
  return {
    changeSets,
    killsCount: changes.filter(({ kill }) => kill === true).length,
    removalsCount: changes.filter(({ removed }) => removed === true).length,
  };
}

/** Commits each change set at the root; milliseconds of each, from the call to the last app. */
export async function replay(of: {
  root: NodeProcess;
  project: string;
  history: Replay;
  apps: AppCrowd;
}): Promise<number[]> {
  const admin = openAdminClient(of.root.operatorEnv);
  const tookMs: number[] = [];
  for (const [i, { changes }] of of.history.changeSets.entries()) {
    const isOn = i % 2 === 0;
    const startedMs = performance.now();
    await commit(admin, of.project, [...changes, { flag: marker, percent: isOn ? 100 : 0 }]);
    tookMs.push(
      await of.apps.until(`change ${i + 1}`, startedMs, (app) => app.enabled(marker) === isOn),
    );
    say.progress(i + 1, of.history.changeSets.length, "change sets have arrived at every app");
  }
  return tookMs;
}

async function commit(
  admin: AdminClient,
  project: string,
  changes: readonly HistoryChange[],
): Promise<void> {
  const gone = changes.filter(({ removed }) => removed === true);
  const kept = changes.filter(({ removed }) => removed !== true);
  await admin.ledgers.commit({
    ledger: { project },
    entries: kept.map((change) => ({
      key: entryKey("flag", change.flag),
      value: toBinary(FlagSchema, flagOf(change)),
    })),
    tombstones: gone.map(({ flag }) => entryKey("flag", flag)),
    actor: "replay",
  });
}

function flagOf({ flag, percent, versions, kill }: HistoryChange) {
  return create(FlagSchema, {
    name: flag,
    basisPoints: Math.round((percent ?? 0) * 100),
    versions: versions ?? "",
    hash: HASH_VERSION,
    ...(kill === true && { kill: { versions: "*" } }),
  });
}
