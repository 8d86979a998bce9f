import { type FlagByRelease, onlyFor } from "../../../relay/flag/flag-by-release.ts";
import { type FlagdAnswer, flagdAnswer, flagdContext } from "../../../relay/flag/flagd-answer.ts";
import { type FlagdMetadata, flagdMetadata } from "../../../relay/flag/flagd-json.ts";
import { isName } from "../../../relay/flag/name.ts";
import type { NodeAccess } from "../../access.ts";
import { HeadwaterError } from "../../error.ts";
import { noteUnreported } from "../unreported.ts";
import { selectedProject } from "./selected-project.ts";
import type { Selector } from "./selector.ts";

type ContextFields = Readonly<Record<string, unknown>>;

/** A flag's answer to one context, and what goes with it. */
export interface Evaluation extends FlagdAnswer {
  readonly flag: string;
  readonly metadata: FlagdMetadata;
}

/** All answers to one context. */
export interface BulkEvaluation {
  readonly project: string;
  readonly metadata: FlagdMetadata;
  readonly evaluations: readonly Evaluation[];
}

/**
 * One flag for one context.
 * @throws HeadwaterError `unknown` where flagd says FLAG_NOT_FOUND; apps then use their default
 */
export function evaluateOne(
  access: NodeAccess,
  of: { selector: Selector; flag: string; context: ContextFields | undefined },
): Evaluation {
  const { wallMs } = access.now();
  const project = selectedProject(access, of.selector.project);
  noteAsking(access, project, of);
  const standing = access.reads.standing(project, wallMs);
  if (standing === undefined) throw nothingVerified("unknown", project);
  const flag = isName(of.flag) ? access.reads.flagByRelease(project, of.flag, wallMs) : undefined;
  if (flag === undefined) throw notFound(project, of.flag);
  return evaluation(flag, of, flagdMetadata(standing));
}

/**
 * All flags for one context.
 * @throws HeadwaterError `unavailable` while nothing verified is held: none is not the same as no flags
 */
export function evaluateAll(
  access: NodeAccess,
  of: { selector: Selector; context: ContextFields | undefined },
): BulkEvaluation {
  const project = selectedProject(access, of.selector.project);
  noteAsking(access, project, of);
  const set = access.reads.flagSet(project, access.now().wallMs);
  if (set === undefined) throw nothingVerified("unavailable", project);
  const metadata = flagdMetadata(set);
  const evaluations = set.flags.map((flag) => evaluation(flag, of, metadata));
  return { project, metadata, evaluations };
}

/** Clients of OpenFeature report by OTLP, if at all. */
export function noteAsking(
  access: NodeAccess,
  project: string,
  of: { selector: Selector; context: ContextFields | undefined },
): void {
  noteUnreported(access, project, of.selector.instance || flagdContext(of.context ?? {}).key);
}

/** What is held of a project is not enough to answer. */
export function nothingVerified(kind: "unknown" | "unavailable", project: string): HeadwaterError {
  return new HeadwaterError({
    kind,
    message: `nothing verified is held of ${project} yet`,
    hint: "`headwater status` says what this node waits for.",
  });
}

function evaluation(
  flag: FlagByRelease,
  of: { selector: Selector; context: ContextFields | undefined },
  metadata: FlagdMetadata,
): Evaluation {
  const answer = flagdAnswer(onlyFor(flag, of.selector), flagdContext(of.context ?? {}));
  return { ...answer, flag: flag.name, metadata: { ...metadata, why: answer.why } };
}

const shownLengthMax = 100;

function notFound(project: string, flag: string): HeadwaterError {
  const shown = JSON.stringify(flag.slice(0, shownLengthMax));
  const message = `Flag not found (${project} has no ${shown})`;
  return new HeadwaterError({ kind: "unknown", message });
}
