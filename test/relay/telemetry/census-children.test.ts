import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { CensusSlotSchema, DocumentSchema } from "../../../gen/headwater/v1/telemetry_pb.ts";
import { dayMs } from "../../../relay/cadence.ts";
import { censusesOpenMax } from "../../../relay/limits.ts";
import type { CensusAnswer } from "../../../relay/telemetry/census.ts";
import { CensusChildren, slotAnswer } from "../../../relay/telemetry/census-children.ts";
import { documentProblem } from "../../../relay/telemetry/received.ts";
import { epochMs } from "../authority.ts";
import { weightsDocument } from "./fixture.ts";

const windowMs = 30 * dayMs;
const asked = { project: "horizon", openedMs: epochMs, windowMs, window: 0 };

type Slot = MessageInitShape<typeof CensusSlotSchema>;

function slotOf(answer: CensusAnswer, window = 0): Slot {
  return { openedMs: BigInt(epochMs), window, answer: slotAnswer(answer), expelled: 0 };
}

function documentOf(...census: Slot[]) {
  return create(DocumentSchema, { project: "horizon", kind: "WEIGHTS", census });
}

/** Children that have said something in turn. */
class Heard {
  readonly stored = new Map<string, Uint8Array>();
  readonly children = new CensusChildren({ get: () => [...this.stored] } as never);

  say(child: string, slots: readonly Slot[], wallMs: number = epochMs): this {
    const { writes, accept } = this.children.hear(child, documentOf(...slots), wallMs);
    for (const { key, value } of writes) if (value !== undefined) this.stored.set(key, value);
    accept();
    return this;
  }

  /** The same, read from the disk. */
  get restarted(): CensusChildren {
    return new CensusChildren({ get: () => [...this.stored] } as never);
  }
}

test("a child that never took part is none, and one that has not answered is not known", () => {
  const heard = new Heard().say("plain", [{ answer: 0 }]).say("waits", [{ answer: 2 }]);
  expect(heard.children.said(asked)).toMatchObject([{ window: -1, answer: "UNKNOWN" }]);
});

test("the last word of a window counts, but what was used stays used, also after a restart", () => {
  const heard = new Heard()
    .say("one", [slotOf("UNKNOWN")])
    .say("one", [slotOf("UNUSED")])
    .say("two", [slotOf("USED")])
    .say("two", [slotOf("UNUSED")]);
  const answers = (of: CensusChildren) => of.said(asked).map(({ answer }) => answer);
  expect(answers(heard.children)).toEqual(["UNUSED", "USED"]);
  expect(answers(heard.restarted)).toEqual(["UNUSED", "USED"]);
  expect(heard.children.said({ ...asked, window: 1 }).map(({ answer }) => answer)).toEqual([
    "UNKNOWN",
    "UNKNOWN",
  ]);
});

test("a child that left is asked for nothing that began after it had gone for a window", () => {
  const heard = new Heard().say("one", [slotOf("UNUSED")]).say("one", [{ answer: 0 }], epochMs + 1);
  expect(heard.children.said(asked)).toHaveLength(1);
  expect(heard.children.said({ ...asked, window: 3 })).toEqual([]);
});

test.each<[string, Slot[], RegExp]>([
  [
    "more of them than there are",
    Array.from({ length: censusesOpenMax + 1 }, () => ({})),
    /^census: /,
  ],
  ["an answer that is none", [{}, { answer: 9 }], /^census\[1\]\.answer: /],
  ["an expulsion that is none", [{ expelled: 7 }], /^census\[0\]/],
])("slots with %s are refused, and the field is named", (_, census, problem) => {
  const document = weightsDocument({ "2.0": 10_000 });
  expect(documentProblem(document, epochMs)).toBeUndefined();
  document.census = census.map((slot) => create(CensusSlotSchema, slot));
  expect(documentProblem(document, epochMs)).toMatch(problem);
});
