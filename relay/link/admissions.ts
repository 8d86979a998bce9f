import type { LedgerName } from "../../gen/headwater/v1/ledger_pb.ts";
import type { LinkId } from "../event.ts";
import { vouchesFor } from "../libraries.ts";
import type { Admission, Children } from "../trust/children.ts";

/** What let each live link in: it ends when that does. */
export class Admissions {
  readonly #children: Children;
  readonly #admissions = new Map<LinkId, Admission>();

  constructor(children: Children) {
    this.#children = children;
  }

  open(id: LinkId, admission: Admission): void {
    this.#admissions.set(id, admission);
  }

  close(id: LinkId): void {
    this.#admissions.delete(id);
  }

  /** What has let the nodes of a child in. */
  of(site: string): Admission[] {
    return [...this.#admissions.values()].filter((admission) => admission.site === site);
  }

  /** Links whose credential has expired, or was revoked here or at another node of the site. */
  ended(wallMs: number): LinkId[] {
    return [...this.#admissions].flatMap(([id, admission]) =>
      this.#children.hasEnded(admission, wallMs) ? id : [],
    );
  }
}

/** What a node holds, to see whose library a project is. */
type Vouchers = Parameters<typeof vouchesFor>[0];

/** Whether a child may have a project: one that its token names, or a library of such a one. */
export function mayHave({ projects }: Admission, project: string, vouchers: Vouchers): boolean {
  if (projects.length === 0 || projects.includes(project)) return true;
  return projects.some((application) => vouchesFor(vouchers, { application, library: project }));
}

/** What a child says of ledgers, as far as it may have them: others are not there, for this child. */
export function amongTheirs<Said extends { readonly ledger?: LedgerName | undefined }>(
  admission: Admission,
  said: readonly Said[],
  vouchers: Vouchers,
): Said[] {
  return said.filter(
    ({ ledger }) => ledger === undefined || mayHave(admission, ledger.project, vouchers),
  );
}
