import { listLengthMax } from "../../relay/limits.ts";
import type { NodeProcess } from "../../scripts/demo/node-process.ts";
import { adminOf, project } from "./chaos-mesh.ts";

/** What the nodes of a site have sent upstream, by the log of each. */
export class SentCounts {
  readonly #nodes: readonly NodeProcess[];

  constructor(nodes: readonly NodeProcess[]) {
    this.#nodes = nodes;
  }

  /** For no window were two taken, and none counts more instances than there are. */
  async check(instancesMax: number): Promise<{ broken: string[]; counts: Record<string, number> }> {
    const accepted = new Map<string, Set<string>>();
    const outcomes = { accepted: 0, repeated: 0, other: 0 };
    const broken: string[] = [];
    const known = new Set<string>();
    for (const node of this.#nodes) {
      const asked = { project, limit: listLengthMax };
      const { documents } = await adminOf(node).fleet.listDocuments(asked);
      for (const { outcome, document, atMs } of documents) {
        const id = `${document?.kind} ${document?.window}`;
        const key = `${id} ${atMs} ${outcome}`;
        if (known.has(key)) continue;
        known.add(key);
        if (outcome === "ACCEPTED") outcomes.accepted++;
        else if (outcome === "REPEATED") outcomes.repeated++;
        else outcomes.other++;
        if (outcome === "ACCEPTED")
          accepted.set(id, (accepted.get(id) ?? new Set()).add(`${atMs}`));
        const releases = document?.weights?.releases ?? [];
        const count = releases.reduce((sum, one) => sum + (one.count ?? 0), 0);
        if (count > instancesMax) broken.push(`the document ${id} counts ${count} instances`);
      }
    }
    for (const [id, times] of accepted)
      if (times.size > 1) broken.push(`the parent has taken ${times.size} documents ${id}`);
    return {
      broken,
      counts: {
        documentsAccepted: outcomes.accepted,
        documentsRepeated: outcomes.repeated,
        documentsNotTaken: outcomes.other,
      },
    };
  }
}
