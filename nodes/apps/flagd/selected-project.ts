import type { NodeAccess } from "../../access.ts";
import { HeadwaterError } from "../../error.ts";
import { selectorHeader } from "./selector.ts";

const namesShownMax = 10;

/**
 * The project that a client means: the one it names, else the only one there is.
 * @throws HeadwaterError `invalid` when it has to name one, `unknown` when it names another,
 * `unavailable` when this node has none
 */
export function selectedProject(access: NodeAccess, named: string): string {
  const held = access.reads.projects();
  const [first, ...others] = held;
  if (first === undefined)
    throw new HeadwaterError({
      kind: "unavailable",
      message: "this node has no project yet",
      hint: "`headwater join TOKEN` brings those of a parent, `headwater init PROJECT` makes one.",
    });
  const has = `this node has ${listed(held)}`;
  const hint = `Set the header ${selectorHeader} to flagSetId=PROJECT.`;
  if (named === "" && others.length > 0)
    throw new HeadwaterError({ kind: "invalid", message: `${has}: name one of them`, hint });
  if (named !== "" && !held.includes(named))
    throw new HeadwaterError({ kind: "unknown", message: `no project ${named}; ${has}`, hint });
  return named === "" ? first : named;
}

function listed(names: readonly string[]): string {
  const more = names.length - namesShownMax;
  const shown = names.slice(0, namesShownMax).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}
