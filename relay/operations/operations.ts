import { operationAudit, operationLog } from "../audit.ts";
import type { Event, OperatorEvent } from "../event.ts";
import type { NodeParts } from "../parts.ts";
import { done, type Outcome } from "../refusal.ts";
import { changeRollout, startRollout } from "../rollout/rollout-operations.ts";
import { setEnrollment } from "./census-enrollment.ts";
import { addChild, revokeChild } from "./children.ts";
import { commit } from "./commit.ts";
import { setDisclosure } from "./disclosure.ts";
import { createLedger, prepareLedger } from "./founding.ts";
import { join } from "./joining.ts";
import type { Operation } from "./operation.ts";
import { addToken, revokeToken } from "./operator-tokens.ts";
import { promote, updateTrust } from "./succession.ts";

/** What it changes is written into the audit with it, and told in one line once it is done. */
export function operate(parts: NodeParts, event: Event & OperatorEvent): Outcome<Operation> {
  const prepared = operationOf(parts, event);
  if (!prepared.ok || prepared.value.writes.length === 0) return prepared;
  const operation = prepared.value;
  return done({
    writes: [...operation.writes, ...operationAudit(event)],
    accept: () => {
      const { value, effects } = operation.accept();
      return { value, effects: [...effects, operationLog(event)] };
    },
  });
}

function operationOf(parts: NodeParts, event: Event & OperatorEvent): Outcome<Operation> {
  switch (event.kind) {
    case "prepare-ledger":
      return prepareLedger(parts, event);
    case "create-ledger":
      return createLedger(parts, event);
    case "commit":
      return commit(parts, event);
    case "update-trust":
      return updateTrust(parts, event);
    case "promote":
      return promote(parts, event);
    case "add-child":
      return addChild(parts, event);
    case "revoke-child":
      return revokeChild(parts, event);
    case "join":
      return join(parts, event);
    case "set-disclosure":
      return setDisclosure(parts, event);
    case "set-enrollment":
      return setEnrollment(parts, event);
    case "start-rollout":
      return startRollout(parts, event);
    case "change-rollout":
      return changeRollout(parts, event);
    case "add-token":
      return addToken(parts, event);
    case "revoke-token":
      return revokeToken(parts, event);
  }
}
