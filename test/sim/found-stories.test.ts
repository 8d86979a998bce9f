import { expect, test } from "vitest";
import { runStory } from "./run.ts";
import { parseStory } from "./story.ts";

/** Stories that showed a bug, as `npm run sim` printed them, under what was wrong. */
const found: readonly (readonly [string, string])[] = [
  [
    "a stored beat with a flipped bit made the node delete a ledger's entries with its next change",
    `seed 565 layout chain overlay none disclosure OFF
     20212 flip vendor beat 36754
     21663 change flag-6=killed`,
  ],
  [
    "what a writer signed while its clock was ahead was refused until its time had come",
    `seed 519 layout wide overlay plain disclosure OFF
     9970 rule cap/* 900
     10994 jump vendor 900000
     37644 rule cap/flag-8 3400`,
  ],
  [
    "the simulator took a vendor's pin for a lost deletion, where one had been deleted before",
    `seed 1230 layout chain overlay granted disclosure OFF
     111450 rule pin/flag-9 gone
     129169 overreach flag-9 9900`,
  ],
];

test.each(found)("%s", (_, text) => {
  expect(runStory(parseStory(text)).broken?.message).toBeUndefined();
});
