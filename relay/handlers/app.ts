import { create } from "@bufbuild/protobuf";
import { UnreportedSchema } from "../../gen/headwater/v1/fanout_pb.ts";
import { answered, type Effect } from "../effect.ts";
import type { EventOf } from "../event.ts";
import type { NodeParts } from "../parts.ts";
import { quoted } from "../quoted.ts";
import { refused, telemetryOff } from "../refusal.ts";
import { takeReport } from "../telemetry/take-report.ts";

/** An app's report is taken here and passed on to the site; the app is told when the next is due. */
export function answerReport(parts: NodeParts, event: EventOf<"report">): Effect[] {
  const { call, report, at } = event;
  const { telemetry, peers, holdings, random } = parts;
  if (telemetry === undefined) return [answered(call, telemetryOff())];
  if (!holdings.projects.has(report.project))
    return [
      answered(
        call,
        refused(
          "unknown",
          `project: ${quoted(report.project)} is not held here`,
          "`headwater status` shows the projects of this node.",
        ),
      ),
    ];
  if (!takeReport(parts, report, { at, isOwn: true }))
    return [answered(call, refused("limit", "instance: too many report here"))];
  const everyMs = telemetry.reportEveryMs;
  const nextAfterMs = Math.floor(everyMs * (0.9 + 0.1 * random.fraction()));
  const heard = peers.passOn({ case: "report", value: report });
  return [...heard, answered(call, { nextAfterMs })];
}

/** The nodes of a site answer as one. */
export function overhearApp(parts: NodeParts, event: EventOf<"app-unreported">): Effect[] {
  const { project, at } = event;
  const { peers, telemetry } = parts;
  telemetry?.censuses.overhear(project, at.wallMs);
  const value = create(UnreportedSchema, { project });
  return peers.passOn({ case: "unreported", value });
}

/** Tables that somebody watches are kept up to date. */
export function countWatch(
  { holdings }: NodeParts,
  { kind, project, version }: EventOf<"watch-opened" | "watch-closed">,
): void {
  holdings.watchers.count(project, version, kind === "watch-opened" ? 1 : -1);
}
