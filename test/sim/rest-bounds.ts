import {
  beatIntervalMs,
  documentAgainIntervalMs,
  heartbeatIntervalMs,
  peerIntervalMs,
  wayChangeIntervalMs,
  writeIntervalMs,
} from "../../relay/cadence.ts";
import type { Bucket } from "../../relay/effect.ts";
import type { NodeSettings } from "../../relay/settings.ts";

/** What is told apart at rest; all but heartbeats, signs of life and questions is counted by what it is about. */
export type RestKind =
  | "heartbeat"
  | "beat"
  | "offer"
  | "roots and grants"
  | "delta"
  | "snapshot"
  | "welcome"
  | "goodbye"
  | "frame of no kind"
  | "confirmation"
  | "question to be served anew"
  | "give-back"
  | "document"
  | "sign of life"
  | "question to peers"
  | "beat to peers"
  | "frame to peers"
  | "document to peers"
  | "evidence to peers"
  | "record to peers"
  | "rollout to peers"
  | "record for a peer that asked"
  | "frame for a peer that asked"
  | `write of ${Bucket}`;

/** How often each kind may be done about one thing; all that is not named, not at all. */
type Bounds = Partial<Record<RestKind, number>>;

/** In how many parts of its grace a census writes down what was seen. */
const censusWritesPerGrace = 4;

/** The bounds of a rest of so long, as the rhythms in `relay/cadence.ts` give them. */
export function restBounds(of: {
  restMs: number;
  graceMsMin: number | undefined;
}): (
  kind: RestKind,
  settings: Pick<NodeSettings, "windowMs" | "healthWindowMs"> | undefined,
) => number {
  const times = (everyMs: number): number => 1 + Math.floor(of.restMs / everyMs);
  const evidenceMs = Math.min(
    writeIntervalMs,
    (of.graceMsMin ?? Number.POSITIVE_INFINITY) / censusWritesPerGrace,
  );
  // And at once when an app is missed that was heard before: of the window then, and of the next.
  const evidence = times(evidenceMs) + 2;
  // And one that had been missed, of who is asked anew now.
  const beats = times(beatIntervalMs) + 1;
  const steady: Bounds = {
    heartbeat: times(heartbeatIntervalMs),
    beat: beats,
    offer: times(wayChangeIntervalMs),
    // One that did not check before has its time now.
    "question to be served anew": 1,
    "sign of life": times(peerIntervalMs),
    // Each sign of life brings one, and one may have been put off.
    "question to peers": times(peerIntervalMs) + 1,
    "beat to peers": beats,
    "evidence to peers": evidence,
    // What was missed before is made up for, once.
    "record for a peer that asked": 1,
    "frame for a peer that asked": 1,
    "write of pin": 1,
    "write of child": 1,
    "write of disclosure": 1,
    "write of census-enrollment": 1,
    "write of beat": beats,
    "write of trial": times(writeIntervalMs) + 1,
    "write of crash": times(writeIntervalMs),
    "write of census-evidence": 2 * evidence,
    // Promise U8 is about these.
    "rollout to peers": Number.POSITIVE_INFINITY,
    "write of rollout": Number.POSITIVE_INFINITY,
    "write of decision": Number.POSITIVE_INFINITY,
  };
  return (kind, settings) => {
    const windowMs = Math.min(settings?.windowMs ?? 0, settings?.healthWindowMs ?? 0);
    const documents = times(windowMs) + times(documentAgainIntervalMs);
    const windowed: Bounds = {
      document: documents,
      "document to peers": documents,
      "write of window": documents,
      "write of sent": documents,
      "write of received": documents,
      "write of census-child": 2 * documents,
      "write of sample": times(windowMs),
    };
    return steady[kind] ?? windowed[kind] ?? 0;
  };
}
