import { fromBinary } from "@bufbuild/protobuf";
import type { ListCensusesResponse } from "../../../gen/headwater/v1/censuses_pb.ts";
import { type Flag, FlagSchema, type Rule, RuleSchema } from "../../../gen/headwater/v1/flag_pb.ts";
import type { FleetSample, GetFleetResponse } from "../../../gen/headwater/v1/fleet_pb.ts";
import type { LedgerName, Position } from "../../../gen/headwater/v1/ledger_pb.ts";
import type { GetLedgerResponse, HistoryRecord } from "../../../gen/headwater/v1/ledgers_pb.ts";
import type { ExplainResponse, GetStatusResponse } from "../../../gen/headwater/v1/nodes_pb.ts";
import type { Rollout } from "../../../gen/headwater/v1/rollouts_pb.ts";
import { HASH_VERSION } from "../../../relay/flag/bucket.ts";

/** A ledger that this node can write, and where it is. */
export interface WritableLedger {
  readonly ledger: LedgerName;
  readonly position: Position;
  readonly entries: ReadonlyMap<string, Uint8Array>;
}

/** A flag as its project has it. */
export interface FlagView {
  readonly project: string;
  readonly name: string;
  /** Undefined for one that this page can not read. */
  readonly flag: Flag | undefined;
}

export interface ProjectView {
  /** In order of name; undefined until they have come. */
  readonly flags: readonly FlagView[] | undefined;
  /** What flags come out as here, by name: of those that are drawn. */
  readonly explained: ReadonlyMap<string, ExplainResponse>;
  /** Why it is not known what they come out as, by name: of those whose question failed. */
  readonly unexplained: ReadonlyMap<string, string>;
  /** Oldest first. */
  readonly releases: readonly string[];
  /** Whose builds the flags are shown for; empty: those of no published release. */
  readonly release: string;
  /** The project's own ledger, where it is written here; and this node's overlay of it. */
  readonly own: WritableLedger | undefined;
  readonly overlay: WritableLedger | undefined;
  readonly fleet: GetFleetResponse | undefined;
  /** Whether the node has said so. */
  readonly isTelemetryOff: boolean;
  /** Oldest first. */
  readonly samples: readonly FleetSample[];
  readonly censuses: ListCensusesResponse | undefined;
}

/** All that the page shows; absent until it has come. */
export interface NodeView {
  readonly link: "connecting" | "live" | "lost";
  readonly problem: string;
  readonly status: GetStatusResponse | undefined;
  /** The one that is shown; empty while there is none. */
  readonly project: string;
  readonly held: ProjectView;
  /** What flags are looked for by. */
  readonly search: string;
  readonly audit: readonly HistoryRecord[];
  readonly rollouts: readonly Rollout[];
}

export const emptyProject: ProjectView = {
  flags: undefined,
  explained: new Map(),
  unexplained: new Map(),
  releases: [],
  release: "",
  own: undefined,
  overlay: undefined,
  fleet: undefined,
  isTelemetryOff: false,
  samples: [],
  censuses: undefined,
};

export const emptyView: NodeView = {
  link: "connecting",
  problem: "",
  status: undefined,
  project: "",
  held: emptyProject,
  search: "",
  audit: [],
  rollouts: [],
};

/** Records of the node's history that the page asks for. */
export const historyLength = 50;

/** Rows that are drawn: nobody reads more at once, and ten thousand take a browser many seconds. */
const rowsMax = 100;

/** The flags that have a text in their name or note, and those of them that are drawn. */
export function flagsFound(
  flags: readonly FlagView[],
  search: string,
): { found: readonly FlagView[]; drawn: readonly FlagView[] } {
  const wanted = search.toLowerCase();
  const found = flags.filter(({ name, flag }) =>
    `${name} ${flag?.note ?? ""}`.toLowerCase().includes(wanted),
  );
  return { found, drawn: found.slice(0, rowsMax) };
}

/** The lowest reader that understands all that this page says of a flag. */
export const flagReader = 1;

/**
 * The flag of an entry; undefined where it is none that this page can read, or says things that only
 * later versions know: to them its percentage may mean something else.
 */
export function flagOf(value: Uint8Array | undefined): Flag | undefined {
  if (value === undefined) return undefined;
  try {
    const flag = fromBinary(FlagSchema, value);
    return flag.hash === HASH_VERSION && flag.reader <= flagReader ? flag : undefined;
  } catch {
    return undefined;
  }
}

/** The rule of an entry; undefined where it is none that this page can read. */
export function ruleOf(value: Uint8Array | undefined): Rule | undefined {
  if (value === undefined) return undefined;
  try {
    return fromBinary(RuleSchema, value);
  } catch {
    return undefined;
  }
}

export function writable(response: GetLedgerResponse): WritableLedger | undefined {
  const { ledger, position, entries } = response;
  if (!response.writable || ledger === undefined || position === undefined) return undefined;
  return { ledger, position, entries: new Map(entries.map(({ key, value }) => [key, value])) };
}
