import type { EventOf } from "../event.ts";
import type { NodeParts } from "../parts.ts";
import { quoted } from "../quoted.ts";
import { done, type Outcome, refused, telemetryOff } from "../refusal.ts";
import { cautionsOf } from "../telemetry/caution.ts";
import type { Operation } from "./operation.ts";

/** How exact documents are to one upstream, or to all that there are. */
export function setDisclosure(
  parts: NodeParts,
  event: EventOf<"set-disclosure">,
): Outcome<Operation> {
  const { peers, telemetry } = parts;
  if (telemetry === undefined) return telemetryOff();
  const ids = parts.uplinks.all.map(({ settings }) => settings.id);
  const upstreams = event.upstream === "" ? ids : ids.filter((id) => id === event.upstream);
  if (upstreams.length === 0)
    return refused(
      "unknown",
      event.upstream === ""
        ? "upstream: this node has none"
        : `upstream: no ${quoted(event.upstream)}`,
      ids.length === 0 ? "`headwater join TOKEN` makes one." : `There are: ${ids.join(", ")}.`,
    );
  const choices = upstreams.flatMap(
    (upstream) =>
      telemetry.consents.choose({
        upstream,
        level: event.level,
        byCommand: true,
        wallMs: event.at.wallMs,
      }) ?? [],
  );
  return done({
    writes: choices.map(({ write }) => write),
    accept: () => {
      for (const choice of choices) choice.accept();
      const cautions = [...parts.holdings.projects.values()].flatMap((project) =>
        cautionsOf(event.level, project.name, telemetry.fleet(project, event.at.wallMs)),
      );
      const said = peers.publish(peers.seal.consents(telemetry.consents.shared));
      return { value: { upstreams, cautions }, effects: [said] };
    },
  });
}
