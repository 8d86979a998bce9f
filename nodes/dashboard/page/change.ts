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
import type { WritableLedger } from "./node-view.ts";
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
}

const everywhere = "It reaches every site downstream within moments.";
const hereAndBelow = "It holds for this site and those below it; upstream does not learn of it.";

/** The whole flag as it is to be; all of it is written anew. */
export function flagChange(of: {
  project: string;
  own: WritableLedger;
  name: string;
  before: Flag | undefined;
  /** Without a percentage those that there are stay. */
  after: { readonly basisPoints?: number; readonly kill?: Kill };
}): Change {
  const { project, own, name, before } = of;
  const flag = before === undefined ? newFlag(name) : clone(FlagSchema, before);
  if (of.after.basisPoints !== undefined) {
    // One percentage takes the place of several by version.
    flag.rollout = [];
    flag.basisPoints = of.after.basisPoints;
  }
  if (of.after.kill === undefined) delete flag.kill;
  else flag.kill = of.after.kill;
  return {
    title: `${project}/${name}`,
    before: before === undefined ? "no such flag" : flagText(before),
    after: flagText(flag),
    consequence: everywhere,
    isDangerous: before?.kill !== undefined && flag.kill === undefined,
    run: (client) =>
      commit(client, own, { key: `flag/${name}`, value: toBinary(FlagSchema, flag) }),
  };
}

function newFlag(name: string): Flag {
  return create(FlagSchema, { name, hash: HASH_VERSION, reader: 1 });
}

/** A rule of this site's overlay; without an effect, the rule goes. */
export function ruleChange(of: {
  project: string;
  overlay: WritableLedger;
  name: string;
  kind: "cap" | "kill";
  before: Rule | undefined;
  after: Rule | undefined;
}): Change {
  const { project, overlay, name, before, after } = of;
  const key = ruleKey(of.kind, name);
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
  };
}

export function ruleKey(kind: string, name: string): string {
  return `rule/${kind}/${name}`;
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
