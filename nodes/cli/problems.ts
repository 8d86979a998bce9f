import { HeadwaterError } from "../error.ts";

/** Several problems as one error, so that they are told together; each is a line. */
export function problemsError(of: {
  title: string;
  problems: readonly string[];
  hint?: string;
}): HeadwaterError {
  const lines = of.problems.map((problem) => `\n  ${problem}`);
  return new HeadwaterError({
    kind: "invalid",
    message: `${of.title}${lines.join("")}`,
    hint: of.hint,
  });
}
