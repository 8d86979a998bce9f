import { expect, test } from "vitest";
import { dayMs } from "../../../../relay/cadence.ts";
import { Enrollments } from "../../../../relay/telemetry/census/enrollments.ts";
import { epochMs } from "../../authority.ts";

const project = "horizon";
const yearMs = 365 * dayMs;

function say(at: Enrollments, isEnrolled: boolean, wallMs: number): void {
  at.accept(at.say({ project, isEnrolled, withoutApps: false, wallMs }));
}

function hear(at: Enrollments, from: Enrollments, wallMs: number = epochMs): void {
  const said = from.shared.map(({ record }) => record);
  for (const one of at.heard(said, wallMs)) at.accept(one);
}

test("who took part while a clock was ahead takes part no more at all nodes, once it is said", () => {
  const [one, two, three] = [0, 1, 2].map(() => new Enrollments(new Map())) as [
    Enrollments,
    Enrollments,
    Enrollments,
  ];
  say(three, true, epochMs - dayMs);
  say(one, true, epochMs + yearMs);
  hear(two, one, epochMs + yearMs);
  say(one, false, epochMs);
  hear(two, one);
  hear(three, one);
  expect([two, three].map((at) => at.of(project))).toEqual([undefined, undefined]);
  say(two, true, epochMs + 1);
  hear(one, two);
  hear(three, two);
  const since = [one, two, three].map((at) => at.of(project)?.sinceMs);
  expect(since).toEqual(since.map(() => BigInt(epochMs + 1)));
});

test("and since now, where it is said again", () => {
  const enrollments = new Enrollments(new Map());
  say(enrollments, true, epochMs + yearMs);
  say(enrollments, true, epochMs);
  expect(enrollments.of(project)?.sinceMs).toBe(BigInt(epochMs));
});

test("a node whose clock is ahead alone makes no other take part", () => {
  const [ahead, right] = [new Enrollments(new Map()), new Enrollments(new Map())];
  say(ahead, true, epochMs + yearMs);
  hear(right, ahead);
  expect(right.of(project)).toBeUndefined();
});
