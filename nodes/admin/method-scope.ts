import type { DescMethod } from "@bufbuild/protobuf";
import { CensusService } from "../../gen/headwater/v1/censuses_pb.ts";
import { FleetService } from "../../gen/headwater/v1/fleet_pb.ts";
import { LedgerService } from "../../gen/headwater/v1/ledgers_pb.ts";
import { NodeService } from "../../gen/headwater/v1/nodes_pb.ts";
import { OperatorService } from "../../gen/headwater/v1/operators_pb.ts";
import { RolloutService } from "../../gen/headwater/v1/rollouts_pb.ts";
import type { OperatorScope } from "../../relay/trust/operator-tokens.ts";
import { HeadwaterError } from "../error.ts";
import type { Admitted } from "./authorization.ts";

/** Any one of them is enough; `admin` always is. */
type Scopes = readonly OperatorScope[];

const read: Scopes = ["read", "flags", "overlay"];
const admin: Scopes = [];

type ScopesOf<S extends { readonly method: object }> = {
  readonly [M in keyof S["method"]]: Scopes;
};

/** Every method of every service, so that a new one can not be forgotten. */
const ledgers: ScopesOf<typeof LedgerService> = {
  prepareLedger: admin,
  createLedger: admin,
  getLedger: read,
  // Which of the two it takes depends on the ledger: see `assertMayWrite`.
  commit: ["flags", "overlay"],
  listHistory: read,
  getTrust: read,
  updateTrust: admin,
  promote: admin,
};

const nodes: ScopesOf<typeof NodeService> = {
  getStatus: read,
  explain: read,
  watchFlags: read,
  addChild: admin,
  listChildren: read,
  revokeChild: admin,
  join: admin,
};

const fleet: ScopesOf<typeof FleetService> = {
  getFleet: read,
  previewDocument: read,
  listDocuments: read,
  setDisclosure: admin,
  listSamples: read,
};

const censuses: ScopesOf<typeof CensusService> = {
  listCensuses: read,
  setEnrollment: admin,
};

const rollouts: ScopesOf<typeof RolloutService> = {
  checkGate: read,
  startRollout: ["flags"],
  listRollouts: read,
  changeRollout: ["flags"],
  listDecisions: read,
};

const operators: ScopesOf<typeof OperatorService> = {
  addToken: admin,
  listTokens: admin,
  revokeToken: admin,
  listAudit: read,
  watchChanges: read,
  backup: admin,
};

const scopesByMethod = new Map<string, Scopes>([
  ...entriesOf(LedgerService.typeName, ledgers),
  ...entriesOf(NodeService.typeName, nodes),
  ...entriesOf(FleetService.typeName, fleet),
  ...entriesOf(CensusService.typeName, censuses),
  ...entriesOf(RolloutService.typeName, rollouts),
  ...entriesOf(OperatorService.typeName, operators),
]);

function entriesOf(service: string, scopes: Readonly<Record<string, Scopes>>): [string, Scopes][] {
  return Object.entries(scopes).map(([method, needed]) => [`${service}/${method}`, needed]);
}

/** @throws HeadwaterError `forbidden` when the token is not for this method */
export function assertMayCall({ parent, localName }: DescMethod, admitted: Admitted): void {
  assertScope(scopesByMethod.get(`${parent.typeName}/${localName}`) ?? admin, admitted);
}

/** @throws HeadwaterError `forbidden` when the token is for neither of the scopes, nor `admin` */
export function assertScope(needed: Scopes, { token, scopes }: Admitted): void {
  if (scopes.has("admin") || needed.some((scope) => scopes.has(scope))) return;
  const wanted = needed.includes("read") ? "read" : needed.join(" or ") || "admin";
  throw new HeadwaterError({
    kind: "forbidden",
    message: `the token ${token} is for ${[...scopes].join(", ")}; this needs ${wanted}`,
    hint: `Use a token with that scope: \`headwater token add NAME --scope ${needed.at(0) ?? "admin"}\`.`,
  });
}
