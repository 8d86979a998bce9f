import { z } from "zod";
import { isName } from "../../relay/flag/name.ts";
import { layersCountMax } from "../../relay/limits.ts";
import { quoted, shortened } from "../../relay/quoted.ts";
import { parseToml } from "./config-file.ts";
import { parseFingerprint } from "./fingerprint.ts";

/** Whose word counts for a project; authorities are 32 bytes each. */
interface TrustPin {
  readonly project: string;
  readonly authority: Uint8Array;
  readonly overlays: readonly Uint8Array[];
}

/** What a trust file pins, or all that is wrong with it: a sentence each, with the mend. */
export type TrustFileOutcome =
  | { readonly pins: readonly TrustPin[] }
  | { readonly problems: readonly string[] };

/**
 * Reads TOML: `horizon = "sha256:…"`, or with overlays a table named by the project,
 * `[horizon]`, that holds `authority = "sha256:…"` and `overlays = ["sha256:…"]`.
 */
export function parseTrustFile(toml: string): TrustFileOutcome {
  const table = parseToml(toml);
  if (typeof table === "string") return { problems: [table] };
  const pins: TrustPin[] = [];
  const problems: string[] = [];
  for (const [project, value] of Object.entries(table)) {
    const schema = typeof value === "string" ? lineSchema : tableSchema;
    const parsed = schema.safeParse(value);
    if (parsed.success) pins.push({ project, ...parsed.data });
    else problems.push(...parsed.error.issues.map((issue) => problemOf(project, issue)));
    if (!isName(project)) problems.push(`${quoted(project)} is no name of a project`);
  }
  return problems.length > 0 ? { problems } : { pins };
}

const fingerprint: z.ZodType<Uint8Array, string> = z
  .string({ error: 'write "sha256:…"' })
  .transform((text, context) => {
    const parsed = parseFingerprint(text);
    if (parsed instanceof Uint8Array) return parsed;
    context.addIssue({ code: "custom", message: parsed.problem });
    return z.NEVER;
  });

type Authorities = Omit<TrustPin, "project">;

const lineSchema: z.ZodType<Authorities, string> = fingerprint.transform((authority) => ({
  authority,
  overlays: [],
}));

const overlaysCountMax = layersCountMax - 1;

const tableSchema: z.ZodType<Authorities> = z.strictObject(
  {
    authority: fingerprint,
    overlays: z
      .array(fingerprint, { error: 'write ["sha256:…"]' })
      .max(overlaysCountMax, { error: `at most ${overlaysCountMax} overlays` })
      .default([]),
  },
  { error: (issue) => unknownKeysProblem(issue) ?? 'write "sha256:…", or a table with authority' },
);

/** TOML reads `a.b = …` as a table `a`, which is how a project with a dot comes to be one. */
function unknownKeysProblem(issue: { code: string; keys?: unknown }): string | undefined {
  if (issue.code !== "unrecognized_keys") return undefined;
  const keys = Array.isArray(issue.keys) ? issue.keys.join(", ") : "";
  return `${keys} is neither authority nor overlays; quote a project's name that has a dot`;
}

function problemOf(project: string, issue: z.core.$ZodIssue): string {
  return shortened(`${[project, ...issue.path].join(".")}: ${issue.message}`);
}
