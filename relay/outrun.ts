import type { Position } from "../gen/headwater/v1/ledger_pb.ts";
import type { LedgerProof, Offer, TrustUpdate } from "../gen/headwater/v1/mesh_pb.ts";
import { advanceTrust } from "./advance.ts";
import { auditNote, trustWrite } from "./durable.ts";
import { type Effect, logged } from "./effect.ts";
import type { Moment } from "./event.ts";
import type { Holdings } from "./holdings.ts";
import { openHead, type SignedHead } from "./ledger/head.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { comparePositions, type LedgerId, ledgerId, positionText } from "./ledger/position.ts";
import { givingBack, givingBackTrust } from "./link/give-back.ts";
import type { NodeParts } from "./parts.ts";
import { refused } from "./refusal.ts";
import type { Consequence } from "./staged.ts";
import { extendTrust, type Trusted } from "./trust/trusted.ts";

/**
 * A term has one key, so a later one ends this node's writing: it forgets the key of its own term
 * for good, and follows whoever writes now.
 */
export function retirement(
  { holdings }: NodeParts,
  of: { ledger: Ledger; term: number; from: string; at: Moment },
): Consequence {
  const { ledger, term, from, at } = of;
  const { project } = ledger.name;
  const writer = holdings.writers.get(ledger.id);
  if (writer === undefined || term <= writer.term) return { writes: [], accept: () => [] };
  const key = `trust/term-${term}`;
  return {
    writes: [
      { bucket: "key", key: ledger.id, value: undefined },
      auditNote({ ledger, position: ledger.position, key, by: { actor: from }, at }),
    ],
    accept: () => {
      holdings.retire(ledger.id);
      const message = `${project} is written elsewhere, in term ${term}: this node follows from now on`;
      return [logged("warn", "writer-retired", message)];
    },
  };
}

/**
 * What children show to a node that writes: heads that it does not hold. Only signatures count, so
 * a child can show nothing that has not happened.
 */
export function hearAhead(
  parts: NodeParts,
  of: { proofs: readonly LedgerProof[]; from: string; at: Moment },
): Consequence {
  const proofs = new Map<LedgerId, LedgerProof>();
  for (const proof of of.proofs)
    if (proof.ledger !== undefined) proofs.set(ledgerId(proof.ledger), proof);
  const outcomes = [...parts.holdings.writers.keys()].flatMap((id) => {
    const proof = proofs.get(id);
    return proof === undefined ? [] : (outrunBy(parts, { id, proof, ...of }) ?? []);
  });
  return {
    writes: outcomes.flatMap(({ writes }) => writes),
    accept: () => outcomes.flatMap((one) => one.accept()),
  };
}

/** What a parent that is behind gets back. */
export function giveBack(parts: NodeParts, upstream: string, offer: Offer): Effect[] {
  const { settings, holdings, uplinks } = parts;
  const uplink = uplinks.all.find((one) => one.settings.id === upstream);
  if (offer.ledger === undefined) return [];
  if (uplink?.mayGiveBack("ledger", ledgerId(offer.ledger)) !== true) return [];
  const requests = givingBack({ node: settings.name, offer, served: holdings.served });
  return requests.length === 0 ? [] : [{ kind: "give-back", upstream, requests }];
}

/** The same of roots and grants, to a parent that shows that it lacks some. */
export function giveBackTrust(parts: NodeParts, upstream: string, update: TrustUpdate): Effect[] {
  const { settings, holdings, uplinks } = parts;
  const id = update.ledger && ledgerId(update.ledger);
  const uplink = uplinks.all.find((one) => one.settings.id === upstream);
  const offer = id === undefined ? undefined : uplink?.offerOf(id);
  // Who is behind in entries as well gets these with them.
  if (id === undefined || offer === undefined || offer.outcome === "BEHIND") return [];
  const { served } = holdings;
  const requests = givingBackTrust({ node: settings.name, update, hops: offer.hops, served });
  if (requests.length === 0 || uplink?.mayGiveBack("trust", id) !== true) return [];
  return [{ kind: "give-back", upstream, requests }];
}

/** Why a writer with an old copy must not go on: what it signed next would be a second history. */
export function outrunProblem(
  holdings: Holdings,
  ledger: Ledger,
): ReturnType<typeof refused> | undefined {
  const position = outrunPosition(holdings, ledger);
  if (position === undefined) return undefined;
  return refused("conflict", `ledger: ${outrunText(ledger, position)}`, outrunHint);
}

export const outrunHint =
  "It was restored from an older copy, or somebody else has its key. `headwater promote` goes on in a new term: at a node that holds the newer one, or here with --force.";

/** Whether a ledger is written here, and what this node held of it could not be believed. */
export function isLost({ writers }: Holdings, ledger: Ledger): boolean {
  return ledger.head === undefined && writers.has(ledger.id);
}

/** What an operator is told of data that was not used, and of ledgers that nobody gives back. */
export function damageProblems(holdings: Holdings): string[] {
  const lost = [...holdings.ledgers.values()].filter((ledger) => isLost(holdings, ledger));
  return [
    ...holdings.damaged.map((what) => `stored data is damaged, and was not used: ${what}`),
    ...lost.map(
      ({ name }) => `${name.project} is written here, and nothing of it is held. ${lostHint}`,
    ),
  ];
}

export const lostHint =
  "Start the node on a backup, or let it `headwater join` a node that holds it: it then goes on by itself, after a wait. Else promote that node.";

/** The head that others hold, while this node holds less. */
export function outrunPosition(holdings: Holdings, ledger: Ledger): Position | undefined {
  const position = holdings.outrun.get(ledger.id);
  const held = ledger.position;
  return position !== undefined && held !== undefined && comparePositions(position, held) > 0
    ? position
    : undefined;
}

export function outrunText({ name, position: held }: Ledger, position: Position): string {
  const [theirs, ours] = [position, held].map((one) => (one ? positionText(one) : "nothing"));
  return `a node below holds ${name.project} at ${theirs}, signed with this node's key; here it is at ${ours}`;
}

function outrunBy(
  parts: NodeParts,
  of: { id: LedgerId; proof: LedgerProof; from: string; at: Moment },
): Consequence | undefined {
  const { id, proof, from, at } = of;
  const { holdings } = parts;
  const ledger = holdings.ledgers.get(id);
  const shown = ledger && proven(ledger, proof, at);
  if (shown === undefined || ledger?.position === undefined) return undefined;
  const { trusted, head } = shown;
  const { position } = head;
  if (comparePositions(position, ledger.position) <= 0) return undefined;
  const retired = retirement(parts, { ledger, term: position.term, from, at });
  if (retired.writes.length > 0)
    return {
      writes: [trustWrite(ledger, trusted), ...retired.writes],
      accept: () => [
        ...retired.accept(),
        ...advanceTrust(parts, { ledger, trusted, source: { kind: "here" }, at }),
      ],
    };
  const known = outrunPosition(holdings, ledger);
  if (known !== undefined && comparePositions(known, position) >= 0) return undefined;
  return {
    writes: [],
    accept: () => {
      holdings.outrun.set(id, position);
      const message = `${outrunText(ledger, position)}. ${outrunHint}`;
      return [logged("error", "writer-outrun", message)];
    },
  };
}

/** Undefined for what does not check. */
function proven(
  ledger: Ledger,
  proof: LedgerProof,
  { wallMs }: Moment,
): { trusted: Trusted; head: SignedHead } | undefined {
  if (proof.trust === undefined || proof.head === undefined) return undefined;
  const trusted = extendTrust(ledger.name, ledger.trusted, proof.trust);
  if (!trusted.ok) return undefined;
  const head = openHead(proof.head, ledger.name, { trusted: trusted.value, wallMs });
  return head.ok ? { trusted: trusted.value, head: head.value } : undefined;
}
