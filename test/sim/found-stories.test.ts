import { expect, test } from "vitest";
import { foundStories } from "./found-stories.ts";
import { runStory } from "./run.ts";
import { parseStory } from "./story.ts";
import { toldStories } from "./told-stories.ts";

test.each([...foundStories, ...toldStories])("%s", (_, text) => {
  expect(runStory(parseStory(text)).broken?.message).toBeUndefined();
});
