import { fromBinary } from "@bufbuild/protobuf";
import { ChildRecordSchema, TokenRecordSchema } from "../gen/headwater/v1/store_pb.ts";
import { DiskNews } from "./disk-news.ts";
import type { Records } from "./durable.ts";
import type { Moment } from "./event.ts";
import { FreshnessNews } from "./freshness-news.ts";
import { Holdings } from "./holdings.ts";
import { Admissions } from "./link/admissions.ts";
import { Downlinks } from "./link/downlinks.ts";
import { Returns } from "./link/give-back.ts";
import { Inbox } from "./link/inbox.ts";
import { Peers } from "./link/peers.ts";
import { Uplinks } from "./link/uplinks.ts";
import { WayNews } from "./link/way-news.ts";
import { OldCopy } from "./old-copy.ts";
import type { Random } from "./random.ts";
import { Rollouts } from "./rollout/rollouts.ts";
import type { NodeSettings } from "./settings.ts";
import { SiteMemory } from "./site/site-memory.ts";
import { Telemetry } from "./telemetry/telemetry.ts";
import { Trials } from "./telemetry/trial/trials.ts";
import { Children } from "./trust/children.ts";
import { deriveSecret, SigningKey } from "./trust/key.ts";
import { OperatorTokens } from "./trust/operator-tokens.ts";

/** What a node is put together from. */
export interface NodeParts {
  readonly settings: NodeSettings;
  readonly random: Random;
  readonly siteKey: SigningKey;
  readonly holdings: Holdings;
  readonly children: Children;
  readonly admissions: Admissions;
  readonly tokens: OperatorTokens;
  readonly downlinks: Downlinks;
  readonly uplinks: Uplinks;
  readonly ways: WayNews;
  readonly peers: Peers;
  /** Frames of peers, whichever of them sends them. */
  readonly peerInbox: Inbox;
  readonly returns: Returns;
  readonly oldCopy: OldCopy;
  readonly disk: DiskNews;
  readonly freshness: FreshnessNews;
  /** Undefined, like trials, where telemetry is off. */
  readonly telemetry: Telemetry | undefined;
  readonly trials: Trials | undefined;
  readonly rollouts: Rollouts;
  readonly memory: SiteMemory;
}

export function assembleParts(of: {
  settings: NodeSettings;
  records: Records;
  random: Random;
  at: Moment;
}): NodeParts {
  const { settings, records, random } = of;
  const siteSeed = deriveSecret({ secret: settings.siteSecret, purpose: "site key" });
  const siteKey = new SigningKey(siteSeed);
  const holdings = new Holdings(records, settings.pins, settings.nodeId);
  const self = { site: settings.site, node: settings.name, nodeId: settings.nodeId };
  const given = [...(records.get("child")?.values() ?? [])];
  const trials = settings.telemetry === "OFF" ? undefined : new Trials(settings, records);
  const children = new Children(
    siteKey.publicKey,
    given.map((bytes) => fromBinary(ChildRecordSchema, bytes)),
  );
  const revokedMs = (site: string): number | undefined => children.revokedMs(site);
  const told = { ...settings, revokedMs };
  const telemetry = trials && new Telemetry(told, records, trials, settings.sentLatest);
  const rollouts = new Rollouts(records);
  return {
    settings,
    random,
    siteKey,
    holdings,
    children,
    admissions: new Admissions(children),
    tokens: new OperatorTokens(
      [...(records.get("token")?.values() ?? [])].map((bytes) =>
        fromBinary(TokenRecordSchema, bytes),
      ),
    ),
    downlinks: new Downlinks(self, () => holdings.served),
    uplinks: new Uplinks({
      self,
      random,
      ledgers: () => [...holdings.ledgers.values()],
      isWritten: (id) => holdings.writers.has(id),
      voucherOf: (project) => holdings.pinOf(project)?.vouchedBy ?? "",
    }),
    ways: new WayNews(settings.nodeId),
    returns: new Returns(() => holdings.served),
    oldCopy: new OldCopy(records, of.at),
    disk: new DiskNews(),
    peers: new Peers({
      node: settings.name,
      siteKey,
      meshAddress: settings.meshAddress,
      runMs: of.at.wallMs,
    }),
    peerInbox: new Inbox(holdings.ledgers),
    freshness: new FreshnessNews(holdings.projects),
    telemetry,
    trials,
    rollouts,
    memory: new SiteMemory({ telemetry, trials, rollouts, holdings }),
  };
}
