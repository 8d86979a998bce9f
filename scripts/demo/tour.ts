import type { AdminClient } from "../../nodes/cli/admin-client.ts";
import type { AppCrowd } from "./app-crowd.ts";
import { IntendedFlags } from "./intended-flags.ts";
import type { Mesh } from "./mesh.ts";

/** What all parts of the tour work with. */
export interface Tour {
  readonly project: string;
  /** A flag's name within the project: the one that the tour itself changes. */
  readonly flag: string;
  readonly mesh: Mesh;
  readonly apps: AppCrowd;
  /** The root's admin port. */
  readonly admin: AdminClient;
}

/** Waits until every app sees what the root has now; when the last change was heard of. */
export async function settled({ admin, apps, project }: Tour, what: string): Promise<number> {
  apps.expect(await IntendedFlags.read(admin, project));
  return apps.agreed(what);
}
