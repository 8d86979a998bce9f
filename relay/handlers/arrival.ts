import { advance, advanceBeats, advanceTrust, renewHops, type Source } from "../advance.ts";
import { auditWrites, beatWrite, trustWrite } from "../durable.ts";
import { type Effect, logged } from "../effect.ts";
import type { Moment } from "../event.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { type Arrival, projectsOf, type Trouble } from "../link/inbox.ts";
import { isLost, retirement } from "../outrun.ts";
import type { NodeParts } from "../parts.ts";
import { nothingBut, type Staged } from "../staged.ts";

type ArrivalOf<K extends Arrival["kind"]> = {
  readonly arrival: Extract<Arrival, { kind: K }>;
  readonly source: Source;
  readonly at: Moment;
};

/** What a link or a peer has brought, checked: it counts once it is durable, for the link too. */
export function takeArrival(
  parts: NodeParts,
  of: { arrival: Arrival; source: Source; at: Moment },
): Staged {
  const taken = takenOf(parts, of);
  return {
    ...taken,
    // Who waits for data that is FRESH does not wait for the next look.
    accept: () => [...taken.accept(), ...parts.freshness.expose(of.at, projectsOf(of.arrival))],
  };
}

function takenOf(parts: NodeParts, of: { arrival: Arrival; source: Source; at: Moment }): Staged {
  const { arrival, source, at } = of;
  switch (arrival.kind) {
    case "change":
      return takeChange(parts, { arrival, source, at });
    case "trust": {
      const { ledger, trusted } = arrival;
      const accept = (): Effect[] => advanceTrust(parts, { ledger, trusted, source, at });
      return {
        effects: [],
        ...durably(parts, { ledgers: [ledger], source, at }, accept),
        writes: [trustWrite(ledger, trusted)],
      };
    }
    case "beats":
      return takeBeats(parts, { arrival, source, at });
    case "resync": {
      const { ledger, why } = arrival;
      return nothingBut(giveUp(parts, { source, trouble: { ledger, why, isWrong: false }, at }));
    }
    case "known":
    case "partial":
      return nothingBut([]);
  }
}

function takeChange(parts: NodeParts, { arrival, source, at }: ArrivalOf<"change">): Staged {
  const { ledger, change } = arrival;
  const actor = "id" in source ? `${source.kind} ${source.id}` : "a peer of this site";
  const audit =
    ledger.head === undefined
      ? []
      : auditWrites({ ledger, change, by: { actor }, wallMs: at.wallMs });
  const { term } = change.head.position;
  const retired = retirement(parts, { ledger, term, from: actor, at });
  const copy =
    retired.writes.length === 0 && isLost(parts.holdings, ledger)
      ? parts.oldCopy.begin(ledger.id, actor, at)
      : undefined;
  const accept = (): Effect[] => {
    copy?.accept();
    return [
      ...retired.accept(),
      ...advance(parts, { ledger, change, source, at }),
      ...(retired.writes.length > 0 ? renewHops(parts, at) : []),
    ];
  };
  return {
    effects: [],
    writes: [
      ...parts.holdings.changeWrites(ledger, change),
      ...audit,
      ...retired.writes,
      ...(copy?.writes ?? []),
    ],
    ...durably(parts, { ledgers: [ledger], source, at }, accept),
  };
}

function takeBeats(parts: NodeParts, { arrival, source, at }: ArrivalOf<"beats">): Staged {
  const { beats, troubles } = arrival;
  const ledgers = beats.map(({ ledger }) => ledger);
  const accept = (): Effect[] =>
    beats.length === 0 ? [] : advanceBeats(parts, { beats, source, at });
  return {
    effects: troubles.flatMap((trouble) => giveUp(parts, { source, trouble, at })),
    writes: beats.map(({ ledger, beat }) => beatWrite(ledger, beat)),
    ...durably(parts, { ledgers, source, at }, accept),
  };
}

function durably(
  parts: NodeParts,
  of: { ledgers: readonly Ledger[]; source: Source; at: Moment },
  accept: () => Effect[],
): Pick<Staged, "accept" | "fail"> {
  const { ledgers, source, at } = of;
  return {
    accept: () => {
      const effects = accept();
      if (source.kind === "upstream" && ledgers.length > 0)
        parts.uplinks.applied(source.id, ledgers);
      return effects;
    },
    fail: (why) =>
      ledgers.flatMap((ledger) => {
        const trouble = { ledger, why: `not durable: ${why}`, isWrong: false };
        return giveUp(parts, { source, trouble, at });
      }),
  };
}

/** Starts again from what is held of a ledger, after a while. */
function giveUp(parts: NodeParts, of: { source: Source; trouble: Trouble; at: Moment }): Effect[] {
  const { source, trouble, at } = of;
  if (source.kind === "upstream") return parts.uplinks.bar(source.id, trouble, at.monoMs);
  if (source.kind === "peers") parts.peers.ask();
  if (!trouble.isWrong) return [];
  return [logged("warn", "frame-refused", `${trouble.ledger.name.project}: ${trouble.why}`)];
}
