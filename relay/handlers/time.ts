import type { Effect } from "../effect.ts";
import type { Moment } from "../event.ts";
import type { NodeParts } from "../parts.ts";
import { tellPeers } from "../site/tell-peers.ts";
import { nothingBut, type Staged } from "../staged.ts";
import type { Upkeep } from "../upkeep.ts";

/** Time passes: for the links, for the site, and for what a node does by itself. */
export function passTime(parts: NodeParts, upkeep: Upkeep, at: Moment): Staged {
  const { downlinks, uplinks } = parts;
  const effects = [
    ...uplinks.tick(at),
    ...downlinks.tick(at.monoMs),
    ...speakToPeers(parts, at),
    ...upkeep.tick(at),
  ];
  return { ...upkeep.work(at), effects, fail: () => [] };
}

function speakToPeers(parts: NodeParts, at: Moment): Effect[] {
  const { peers, holdings, memory, settings } = parts;
  const { consents } = parts.telemetry ?? {};
  return peers.tick({
    monoMs: at.monoMs,
    ledgers: [...holdings.ledgers.values()],
    written: new Set(holdings.writers.keys()),
    children: parts.children.digest,
    ...(consents && { consents: consents.digest }),
    records: (withTrials) => memory.digests({ wallMs: at.wallMs, withTrials }),
    trialsEveryMs: settings.healthWindowMs / 2,
  });
}

/** What the others of the site have to know once this node hears nothing more. */
export function stop(parts: NodeParts, at: Moment): Staged {
  const { censuses } = parts.telemetry ?? {};
  if (censuses === undefined) return nothingBut([]);
  censuses.stop(at.wallMs);
  const due = censuses.due(at.wallMs);
  return {
    effects: [],
    writes: due.writes,
    accept: () => {
      due.accept();
      return tellPeers(parts, { evidence: [...due.told] });
    },
    fail: () => [],
  };
}
