import { isName } from "../../../relay/flag/name.ts";
import { quoted } from "../../../relay/quoted.ts";
import { HeadwaterError } from "../../error.ts";

/** A flag as a command names it: `PROJECT/FLAG`. */
export interface FlagPath {
  readonly project: string;
  readonly flag: string;
}

/** @throws HeadwaterError `invalid` */
export function parseFlagPath(text: string): FlagPath {
  const [project = "", flag = "", ...rest] = text.split("/");
  if (isName(project) && isName(flag) && rest.length === 0) return { project, flag };
  throw new HeadwaterError({
    kind: "invalid",
    message: `${quoted(text)} does not name a flag`,
    hint: "Write PROJECT/FLAG, such as horizon/new-scheduler.",
  });
}

/** @throws HeadwaterError `invalid` */
export function parseProject(text: string): string {
  if (isName(text)) return text;
  throw new HeadwaterError({
    kind: "invalid",
    message: `${quoted(text)} is no name of a project`,
    hint: "Write 1 to 100 letters, digits, dots, dashes and underscores.",
  });
}
