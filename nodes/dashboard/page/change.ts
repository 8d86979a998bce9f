import { clone, create, toBinary } from "@bufbuild/protobuf";
import {
  type Flag,
  FlagSchema,
  type Kill,
  type Rule,
  RuleSchema,
} from "../../../gen/headwater/v1/flag_pb.ts";
import { HASH_VERSION } from "../../../relay/flag/bucket.ts";
import type { NodeClient } from "./node-client.ts";
import { flagOf, flagReader, ruleOf, type WritableLedger, writable } from "./node-view.ts";
import { flagText, ruleText } from "./words.ts";

/** Something that a person is about to do: what it changes in words, and how it is done. */
export interface Change {
  readonly title: string;
  readonly before: string;
  readonly after: string;
  /** Who is affected, and what to know before. */
  readonly consequence: string;
  readonly isDangerous: boolean;
  readonly run: (client: NodeClient) => Promise<void>;
  /** The same once more, of what there is now; absent where it does not matter what there was. */
  readonly anew?: (client: NodeClient) => Promise<Change>;
}

const everywhere = "It reaches every site downstream within moments.";
const hereAndBelow = "It holds for this site and those below it; upstream does not learn of it.";

interface FlagChange {
  readonly project: string;
  readonly own: WritableLedger;
  readonly name: string;
  /** Without a percentage those that there are stay. */
  readonly after: (before: Flag | undefined) => {
    readonly basisPoints?: number;
    readonly kill?: Kill | undefined;
  };
}

/**
 * The whole flag as it is to be; all of it is written anew.
 * @throws where it was written by a later version, of which nothing is to be lost
 */
export function flagChange(of: FlagChange): Change {
  const { project, own, name } = of;
  const entry = own.entries.get(`flag/${name}`);
  const before = flagOf(entry);
  if (entry !== undefined && before === undefined)
    throw new Error(`${project}/${name} was written by a newer version`);
  const { basisPoints, kill } = of.after(before);
  const flag = before === undefined ? newFlag(name) : clone(FlagSchema, before);
  if (basisPoints !== undefined) {
    // One percentage takes the place of several by version.
    flag.rollout = [];
    flag.basisPoints = basisPoints;
  }
  if (kill === undefined) delete flag.kill;
  else flag.kill = kill;
  return {
    title: `${project}/${name}`,
    before: before === undefined ? "no such flag" : flagText(before),
    after: flagText(flag),
    consequence: everywhere,
    isDangerous: before?.kill !== undefined && flag.kill === undefined,
    run: (client) =>
      commit(client, own, { key: `flag/${name}`, value: toBinary(FlagSchema, flag) }),
    anew: async (client) => flagChange({ ...of, own: await asItIs(client, own) }),
  };
}

function newFlag(name: string): Flag {
  return create(FlagSchema, { name, hash: HASH_VERSION, reader: flagReader });
}

interface RuleChange {
  readonly project: string;
  readonly overlay: WritableLedger;
  readonly name: string;
  readonly kind: "cap" | "kill";
  /** None: the rule goes. */
  readonly after: (before: Rule | undefined) => Rule | undefined;
}

/** A rule of this site's overlay. */
export function ruleChange(of: RuleChange): Change {
  const { project, overlay, name } = of;
  const key = ruleKey(of.kind, name);
  const before = ruleOf(overlay.entries.get(key));
  const after = of.after(before);
  return {
    title: `${project}/${name}, this site's overlay`,
    before: before === undefined ? "no rule" : ruleText(before),
    after: after === undefined ? "no rule" : ruleText(after),
    consequence: hereAndBelow,
    isDangerous: after === undefined,
    run: (client) =>
      after === undefined
        ? commit(client, overlay, undefined, key)
        : commit(client, overlay, { key, value: toBinary(RuleSchema, after) }),
    anew: async (client) => ruleChange({ ...of, overlay: await asItIs(client, overlay) }),
  };
}

export function ruleKey(kind: string, name: string): string {
  return `rule/${kind}/${name}`;
}

/** The ledger as the node has it now; one that it can write no more stays as it was seen. */
async function asItIs(client: NodeClient, seen: WritableLedger): Promise<WritableLedger> {
  const { project, authority } = seen.ledger;
  return writable(await client.ledgers.getLedger({ project, authority })) ?? seen;
}

/** Iff the ledger still is as the page showed it: nobody's change is lost. */
async function commit(
  client: NodeClient,
  { ledger, position }: WritableLedger,
  entry: { key: string; value: Uint8Array } | undefined,
  tombstone?: string,
): Promise<void> {
  await client.ledgers.commit({
    ledger,
    expected: position,
    entries: entry === undefined ? [] : [entry],
    tombstones: tombstone === undefined ? [] : [tombstone],
  });
}
