import { isName } from "../../../relay/flag/name.ts";

/** What a path of OFREP asks for. */
export type OfrepPath =
  | { readonly kind: "one"; readonly project: string; readonly flag: string }
  | { readonly kind: "all"; readonly project: string }
  | { readonly kind: "events"; readonly project: string };

const pattern =
  /^(?:\/(?<project>[^/]+))?\/ofrep\/v1\/(?:(?<events>events)|evaluate\/flags(?:\/(?<flag>.*))?)$/;

/**
 * Reads `/ofrep/v1/evaluate/flags`, the same with `/FLAG` or `/PROJECT/FLAG`, and `/ofrep/v1/events`,
 * each also below `/PROJECT`. The project is empty where the path names none; undefined for all
 * other paths.
 */
export function parseOfrepPath(path: string): OfrepPath | undefined {
  const groups = pattern.exec(path)?.groups;
  if (groups === undefined) return undefined;
  const { events, flag = "" } = groups;
  const project = decoded(groups["project"] ?? "");
  if (project === undefined || (project !== "" && !isName(project))) return undefined;
  if (events !== undefined) return { kind: "events", project };
  const key = decoded(flag);
  if (key === undefined) return undefined;
  if (key === "") return { kind: "all", project };
  const [first = "", ...rest] = key.split("/");
  if (rest.length === 1 && isName(first))
    return { kind: "one", project: first, flag: rest[0] ?? "" };
  return { kind: "one", project, flag: key };
}

/** Undefined for an escape that is none. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
