import { fromBinary } from "@bufbuild/protobuf";
import { type Census, CensusSchema } from "../../gen/headwater/v1/flag_pb.ts";
import type { CommitRequest } from "../../gen/headwater/v1/ledgers_pb.ts";
import { censusLifeMs, censusWindowMsMin } from "../cadence.ts";
import type { EventOf } from "../event.ts";
import { entryKey, splitEntryKey } from "../ledger/entry.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { NodeParts } from "../parts.ts";
import { done, type Outcome, refused, telemetryOff } from "../refusal.ts";
import { tellPeers } from "../site/tell-peers.ts";
import { budgetProblem, censusFormProblem } from "../telemetry/census/census-question.ts";
import type { Operation } from "./operation.ts";

/** An operator takes part in a project's censuses with the whole site, or no more. */
export function setEnrollment(
  parts: NodeParts,
  event: EventOf<"set-enrollment">,
): Outcome<Operation> {
  const { telemetry, holdings, uplinks } = parts;
  const { project: name, isEnrolled, at } = event;
  if (telemetry === undefined) return telemetryOff();
  const project = holdings.projects.get(name);
  if (project === undefined) return refused("unknown", `project: ${name} is not held here`);
  const enrollment = telemetry.censuses.enroll({ ...event, wallMs: at.wallMs });
  return done({
    writes: enrollment.writes,
    accept: () => {
      enrollment.accept();
      telemetry.censuses.look(holdings.projects, at.wallMs, parts.peers.alive(at.monoMs));
      const upstream = uplinks.primaryOf(project.ownLedger.id)?.settings.id;
      const isOff = upstream !== undefined && telemetry.consents.of(upstream).level === "OFF";
      const caution = `disclosure to ${upstream} is off, and answers travel in its documents: \`headwater telemetry disclose panel\``;
      const effects = tellPeers(parts, { enrollments: [enrollment.said] });
      return { value: { cautions: isEnrolled && isOff ? [caution] : [] }, effects };
    },
  });
}

/** A commit to a project's own ledger keeps within what may be asked, and changes no question. */
export function censusProblem(
  { telemetry }: NodeParts,
  of: { own: Ledger; request: CommitRequest; wallMs: number },
): ReturnType<typeof refused> | undefined {
  const { own, request, wallMs } = of;
  const asked = request.entries.filter(({ key }) => isCensus(key));
  // Hardly any commit is about one, and to look for all that there are is to go through the ledger.
  if (asked.length === 0 && !request.tombstones.some(isCensus)) return undefined;
  const all = new Map<string, Census>();
  for (const [key, { value }] of own.entries) if (isCensus(key)) put(all, key, value);
  const gone = request.tombstones.find((key) => {
    const census = all.get(key);
    return census !== undefined && wallMs - Number(census.openedMs) < censusLifeMs;
  });
  if (gone !== undefined)
    return refused("forbidden", `tombstones: ${gone} counts for a year: close it instead`);
  const before = new Map(all);
  for (const { key, value } of asked) {
    if (put(all, key, value)) continue;
    return refused("invalid", `entries: ${key} is no question that this version knows`);
  }
  for (const { key } of asked) {
    const census = all.get(key);
    const held = before.get(key);
    if (census === undefined) continue;
    if (held !== undefined && !isSameQuestion(held, census))
      return refused("invalid", `entries: ${key} may be closed, and not be changed`);
    if (held !== undefined && isClosed(held, wallMs) && held.closedMs !== census.closedMs)
      return refused("invalid", `entries: ${key} is closed, and stays so`);
    const windowMsMin = telemetry?.censuses.windowMsMin ?? censusWindowMsMin;
    const problem = budgetProblem(census, [...all.values()], { wallMs, windowMsMin });
    if (held !== undefined) continue;
    if (problem !== undefined) return refused("limit", `entries: ${key}: ${problem}`);
    const displaced = displacedProblem(all, { by: census, wallMs, windowMsMin });
    if (displaced !== undefined) return refused("limit", `entries: ${displaced}`);
  }
  return undefined;
}

/** What opens earlier counts first: one that is to come could be past what may be asked by that. */
function displacedProblem(
  all: ReadonlyMap<string, Census>,
  of: { by: Census; wallMs: number; windowMsMin: number },
): string | undefined {
  const every = [...all.values()];
  const without = every.filter((one) => one !== of.by);
  for (const [key, one] of all) {
    if (one.openedMs <= of.by.openedMs || budgetProblem(one, without, of) !== undefined) continue;
    const problem = budgetProblem(one, every, of);
    if (problem !== undefined) return `${key} is to come and would not be answered: ${problem}`;
  }
  return undefined;
}

function isCensus(key: string): boolean {
  return key.startsWith(entryKey("census", ""));
}

function put(all: Map<string, Census>, key: string, value: Uint8Array): boolean {
  try {
    const census = fromBinary(CensusSchema, value);
    const problem = censusFormProblem(splitEntryKey(key).name, census);
    if (problem === undefined) all.set(key, census);
    return problem === undefined;
  } catch {
    return false;
  }
}

function isClosed({ closedMs }: Census, wallMs: number): boolean {
  return closedMs !== 0n && Number(closedMs) <= wallMs;
}

function isSameQuestion(one: Census, other: Census): boolean {
  return one.windowMs === other.windowMs && one.slot === other.slot;
}
