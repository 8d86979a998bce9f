import { create } from "@bufbuild/protobuf";
import { type CensusSlot, CensusSlotSchema } from "../../../gen/headwater/v1/telemetry_pb.ts";
import type { Project } from "../../layers/project.ts";
import { censusesOpenMax } from "../../limits.ts";
import { noWindow, slotAnswer } from "./census-children.ts";
import { windowsOf } from "./census-question.ts";
import { skewMsOf, windowToAnswer } from "./census-windows.ts";
import type { Censuses } from "./censuses.ts";

/**
 * The places for answers in a document: 8 of them, of one length, whatever there is to say.
 * Of windows that were over before the site took part nothing is said.
 * @param of.sinceMs of windows that began before it nothing is said either
 */
export function censusSlots(
  censuses: Censuses,
  project: Project,
  of: { wallMs: number; sinceMs: number },
): CensusSlot[] {
  const enrollment = censuses.enrollment(project.name);
  const isEnrolled = enrollment !== undefined;
  const asked = isEnrolled ? censuses.answerable(project, of.wallMs) : [];
  return Array.from({ length: censusesOpenMax }, (_, slot) => {
    const census = asked.find((one) => one.slot === slot);
    if (census === undefined)
      return slotOf({ openedMs: 0n, window: noWindow, answer: isEnrolled ? 2 : 0, expelled: 0 });
    const { openedMs } = census;
    const windows = windowsOf(census);
    const window = windowToAnswer(windows, of.wallMs);
    const startMs = windows.openedMs + window * windows.windowMs;
    const isBefore =
      Number(enrollment?.sinceMs ?? 0) > startMs + windows.windowMs + skewMsOf(windows);
    if (window < 0 || startMs < of.sinceMs || isBefore)
      return slotOf({ openedMs, window: noWindow, answer: 2, expelled: 0 });
    const { answer, isExpelled } = censuses.finding(project.name, census, window, of.wallMs);
    const expelled = isExpelled ? 1 : 0;
    return slotOf({ openedMs, window, answer: slotAnswer(answer), expelled });
  });
}

function slotOf(of: { openedMs: bigint; window: number; answer: number; expelled: number }) {
  return create(CensusSlotSchema, of);
}
