import { mergeFlagFiles, parseFlagFile } from "../../../nodes/cli/file/flag-file.ts";
import { flagdImport, flagSetOf } from "../../../nodes/cli/file/flagd-import.ts";
import { parseProject } from "../../../nodes/cli/flag/flag-path.ts";
import { flagdJson } from "../../../relay/flag/flagd-json.ts";
import { entryProblem } from "../../../relay/ledger/entry.ts";
import { childAfter, mesh, project } from "../honest-mesh.ts";
import { assertSentence, refusedBy } from "../refusals.ts";
import { Broken, type Target, textBytes, textOf, type Verdict } from "../target.ts";

const yaml = `# All that a file may say.
project: horizon
flags:
  new-scheduler: { percent: 5, note: "https://example.org/horizon/1843" }
  fast-path: &fast { percent: 25, versions: ">=2.3.0", kill: "<2.2" }
  slow-path: *fast
  staged:
    rollout:
      - { versions: "<2.3", percent: 0.01 }
      - versions: "*"
        percent: 100
    note: |
      two
      lines
releases: ["2.2.0", "2.3.0"]
features: [live-migration]
crashes: [${"ab".repeat(16)}]
aliases: { "2.3.0-el9": "2.3.0" }
libraries: { oslo: "sha256:${"cd".repeat(32)}" }
`;
const json = JSON.stringify({
  project: "horizon",
  flags: { a: { percent: 5, note: "x" }, b: { rollout: [{ versions: "*", percent: 1 }] } },
  releases: ["1.0"],
});

/** Problems of one file that a person is told; deep nesting has one for each level. */
const problemsBytesMax = 1024 * 1024;

/** Flag files in YAML and JSON, as `headwater apply` reads them. */
export const flagFiles: Target = {
  name: "flag files",
  form: "text",
  share: 10,
  seeds: () => [yaml, json, `project: p\nreleases: ["1"]\n`].map(textBytes),
  open: () => (input) => {
    const read = parseFlagFile({ path: "flags.yaml", text: textOf(input) });
    if ("problems" in read) return told(read.problems);
    for (const entry of read.file.entries) {
      const problem = entryProblem(entry);
      if (problem !== undefined)
        throw new Broken(`an entry that no ledger takes: ${problem.message}`);
    }
    const merged = mergeFlagFiles([read.file]);
    return "problems" in merged ? told(merged.problems) : "accepted";
  },
};

export function told(problems: readonly string[]): Verdict {
  if (problems.length === 0) throw new Broken("refused without a word");
  for (const problem of problems.slice(0, 100)) assertSentence("a problem", problem);
  const bytes = problems.reduce((sum, problem) => sum + problem.length, 0);
  if (bytes > problemsBytesMax) throw new Broken(`${problems.length} problems, ${bytes} bytes`);
  return "refused";
}

/** Definitions of flagd, as `headwater import` reads them. */
export const flagdFiles: Target = {
  name: "flagd definitions",
  form: "text",
  share: 10,
  seeds: () => {
    const set = childAfter(mesh.changesFrom).node.reads.flagSet(project, 0);
    return [flagdJson(set!), `{"flags":{},"metadata":{"flagSetId":"x"}}`].map(textBytes);
  },
  open: () => (input) => {
    const definitions = parsedJson(textOf(input));
    if (definitions === undefined) return "refused";
    try {
      const { file, lost } = flagdImport(parseProject(flagSetOf(definitions)), definitions);
      for (const line of lost.slice(0, 100)) assertSentence("what is lost", line);
      const read = parseFlagFile({ path: "-", text: JSON.stringify(file) });
      if ("problems" in read) throw new Broken(`makes a file that is none: ${read.problems[0]}`);
      return "accepted";
    } catch (thrown) {
      return refusedBy(thrown);
    }
  },
};

export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
