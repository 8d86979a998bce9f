import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { RecordDigestsSchema } from "../../../gen/headwater/v1/fanout_pb.ts";
import { type Rollout, RolloutSchema } from "../../../gen/headwater/v1/rollouts_pb.ts";
import { chunkBytesMax, noteLengthMax, sharedAnswerBytesMax } from "../../../relay/limits.ts";
import { Rollouts } from "../../../relay/rollout/rollouts.ts";
import { SiteMemory } from "../../../relay/site/site-memory.ts";
import { epochMs } from "../authority.ts";

test("an answer to a peer is cut at a length, in messages that are short; the rest comes next", () => {
  const rollouts = new Rollouts(new Map());
  const memory = new SiteMemory({
    telemetry: undefined,
    trials: undefined,
    rollouts,
    holdings: undefined as never,
  });
  const reason = "x".repeat(noteLengthMax);
  const bytes = toBinary(RolloutSchema, rolloutOf(0)).length;
  const most = Math.floor(sharedAnswerBytesMax / bytes);
  for (let n = 0; n < most; n++) rollouts.accept(rolloutOf(n));
  expect(answered()).toHaveLength(most);
  for (let n = most; n < most + 10; n++) rollouts.accept(rolloutOf(n));
  const [first, second] = [answered(), answered()];
  expect(first).toHaveLength(most);
  expect(new Set([...first, ...second]).size).toBeGreaterThan(most);

  /** All of one length. */
  function rolloutOf(n: number): Rollout {
    return create(RolloutSchema, { project: "horizon", flag: `f-${10_000 + n}`, reason });
  }

  /** Flags of one answer to a peer that has nothing. */
  function answered(): string[] {
    const asked = create(RecordDigestsSchema, { rollouts: new Uint8Array(0) });
    const messages = [...memory.lacking(asked, epochMs)];
    for (const { rollouts: all } of messages)
      expect(all.length * bytes).toBeLessThanOrEqual(chunkBytesMax);
    return messages.flatMap((message) => message.rollouts.map(({ flag }) => flag));
  }
});
