import { readFileSync } from "node:fs";
import { runStory } from "../../test/sim/run.ts";
import { parseStory } from "../../test/sim/story.ts";
import { drawStory } from "../../test/sim/story-draw.ts";
import { summaryLine, violationText } from "./report.ts";

/** Runs one story and tells all of it; the exit code. */
export function replay(of: { seed: number; file: string | undefined }): number {
  const story =
    of.file === undefined ? drawStory(of.seed) : parseStory(readFileSync(of.file, "utf8"));
  const { log, broken, faults } = runStory(story);
  process.stdout.write(`${log.join("\n")}\n`);
  if (broken !== undefined) process.stdout.write(`\n${violationText(story, broken)}\n`);
  process.stdout.write(
    `${summaryLine({ seedsCount: 1, faults, violationsCount: broken ? 1 : 0 })}\n`,
  );
  return broken === undefined ? 0 : 1;
}
