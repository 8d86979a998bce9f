import type { NodeAccess } from "../access.ts";

/**
 * To be called for whoever asks for flags: where a census is open and nothing is known of what the
 * instance uses, the answer becomes `unknown`. An empty instance is one that nobody can name.
 */
export function noteUnreported(access: NodeAccess, project: string, instance: string): void {
  if (access.reads.isUnreported(project, instance, access.now().wallMs))
    access.tell({ kind: "app-unreported", project });
}
