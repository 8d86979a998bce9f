import { create, type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import {
  type ConfirmRequest,
  ConfirmRequestSchema,
  type Holding,
  HoldingSchema,
  type LedgerProof,
  LedgerProofSchema,
} from "../../gen/headwater/v1/mesh_pb.ts";
import { ledgerId } from "../../relay/ledger/position.ts";
import { meshRequestBytesMax } from "../../relay/limits.ts";

/** What is around each thing that a message lists: its field, and how long it is. */
const aroundBytesMax = 8;

/** Whether a parent is to stop writing, or is waited for. */
export function isUrgent({ ahead, again }: ConfirmRequest): boolean {
  return ahead.length > 0 || again.length > 0;
}

/** Of each ledger the newest word counts. */
export function joinConfirms(
  former: ConfirmRequest | undefined,
  newer: ConfirmRequest,
): ConfirmRequest {
  if (former === undefined) return newer;
  return create(ConfirmRequestSchema, {
    node: newer.node,
    holdings: joinByLedger(former.holdings, newer.holdings),
    ahead: joinByLedger(former.ahead, newer.ahead),
    again: joinByLedger(former.again, newer.again),
  });
}

function joinByLedger<Said extends Holding | LedgerProof>(
  former: readonly Said[],
  newer: readonly Said[],
): Said[] {
  const all = [...former, ...newer].flatMap((said) =>
    said.ledger === undefined ? [] : [[ledgerId(said.ledger), said] as const],
  );
  return [...new Map(all).values()];
}

/** As much as a call may have, what the parent has to know first; the rest is for the next. */
export function firstPart(request: ConfirmRequest): {
  part: ConfirmRequest;
  rest: ConfirmRequest | undefined;
} {
  // Half of it, so that a single proof more, which may be that large, has room as well.
  const room = { bytes: meshRequestBytesMax / 2 };
  const { node } = request;
  const ahead = cut(LedgerProofSchema, request.ahead, room);
  const again = cut(HoldingSchema, request.again, room);
  const holdings = cut(HoldingSchema, request.holdings, room);
  const of = (which: "part" | "rest"): ConfirmRequest =>
    create(ConfirmRequestSchema, {
      node,
      ahead: ahead[which],
      again: again[which],
      holdings: holdings[which],
    });
  const isWhole = [ahead, again, holdings].every(({ rest }) => rest.length === 0);
  return isWhole ? { part: request, rest: undefined } : { part: of("part"), rest: of("rest") };
}

/** Those that there is room for, up to the one that fills it. */
function cut<Desc extends DescMessage>(
  schema: Desc,
  all: readonly MessageShape<Desc>[],
  room: { bytes: number },
): { part: MessageShape<Desc>[]; rest: MessageShape<Desc>[] } {
  let count = 0;
  for (const one of all) {
    if (room.bytes <= 0) break;
    room.bytes -= toBinary(schema, one).length + aroundBytesMax;
    count++;
  }
  return { part: all.slice(0, count), rest: all.slice(count) };
}
