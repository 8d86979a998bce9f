import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  type ReportRequest,
  ReportRequestSchema,
  type ReportResponse,
  ReportResponseSchema,
} from "../../gen/headwater/v1/apps_pb.ts";
import type { NodeCalls } from "../../sdk/node-calls.ts";
import { Reporter } from "../../sdk/reporter.ts";

/** A node without a network. */
class FakeNode implements NodeCalls {
  readonly url = "a";
  readonly reports: ReportRequest[] = [];
  nextAfterMs = 0;
  failure: Error | undefined;
  isSilent = false;

  async report(request: ReportRequest, signal: AbortSignal): Promise<ReportResponse> {
    this.reports.push(request);
    if (this.failure !== undefined) throw this.failure;
    if (this.isSilent) {
      await new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error));
      });
    }
    return create(ReportResponseSchema, { nextAfterMs: this.nextAfterMs });
  }

  watch(): never {
    throw new Error("not asked for");
  }
}

let random = 0.5;
let problems: string[] = [];
let controller: AbortController;
let done: Promise<void>;

beforeEach(() => {
  vi.useFakeTimers();
  random = 0.5;
  problems = [];
  controller = new AbortController();
});

afterEach(async () => {
  controller.abort();
  await done;
  vi.useRealTimers();
});

function start(...nodes: FakeNode[]): Reporter {
  let reportsCount = 0;
  const reporter = new Reporter({
    nodes,
    random: () => random,
    contents: () => create(ReportRequestSchema, { version: `${++reportsCount}` }),
    failed: (_, thrown) => problems.push(String(thrown)),
    succeeded: () => problems.splice(0),
  });
  done = reporter.run(controller.signal);
  return reporter;
}

/** From the last report to the next. */
async function nextReportMs(node: FakeNode): Promise<number> {
  const reportsCount = node.reports.length;
  const startedMs = Date.now();
  while (node.reports.length === reportsCount) await vi.advanceTimersToNextTimerAsync();
  return Date.now() - startedMs;
}

describe("the next report", () => {
  test.each([
    [0, 3_600_000],
    [60_000, 60_000],
    [1_000, 1_000],
    [999, 1_000],
    [86_400_001, 86_400_000],
  ])("comes when the node says %i, after %i ms", async (nextAfterMs, expectedMs) => {
    const node = new FakeNode();
    node.nextAfterMs = nextAfterMs;
    start(node);
    expect(node.reports).toHaveLength(1);
    expect(await nextReportMs(node)).toBe(expectedMs);
  });

  test("comes up to a tenth earlier or later", async () => {
    const node = new FakeNode();
    node.nextAfterMs = 10_000;
    random = 0;
    start(node);
    await vi.advanceTimersByTimeAsync(0);
    random = 1;
    expect(await nextReportMs(node)).toBe(9_000);
    expect(await nextReportMs(node)).toBe(11_000);
  });

  test("comes sooner, then later and later, as long as nobody listens", async () => {
    const node = new FakeNode();
    node.failure = new ConnectError("down", Code.Unavailable);
    random = 0.999;
    start(node);
    expect(await nextReportMs(node)).toBeLessThanOrEqual(500);
    expect(await nextReportMs(node)).toBeGreaterThan(500);
    for (let count = 0; count < 10; count++) await nextReportMs(node);
    expect(await nextReportMs(node)).toBeLessThanOrEqual(30_000);
    expect(problems.length).toBeGreaterThan(0);
    node.failure = undefined;
    await nextReportMs(node);
    await vi.advanceTimersByTimeAsync(0);
    expect(problems).toEqual([]);
  });

  test("is not hurried, and nothing is wrong, when the node's telemetry is off", async () => {
    const nodes = [new FakeNode(), new FakeNode()];
    nodes[0]!.failure = new ConnectError("off", Code.PermissionDenied);
    start(...nodes);
    expect(await nextReportMs(nodes[0]!)).toBe(3_600_000);
    expect(problems).toEqual([]);
    expect(nodes[1]!.reports).toEqual([]);
  });

  test("is not hurried when this one makes no sense to the node", async () => {
    const node = new FakeNode();
    node.failure = new ConnectError("flags: too many", Code.InvalidArgument);
    start(node);
    expect(await nextReportMs(node)).toBe(3_600_000);
  });
});

describe("a report that should not wait", () => {
  test("does not, but those after it do a little", async () => {
    const node = new FakeNode();
    const reporter = start(node);
    await vi.advanceTimersByTimeAsync(0);
    reporter.hurry();
    await vi.advanceTimersByTimeAsync(0);
    expect(node.reports).toHaveLength(2);
    for (let count = 0; count < 10; count++) {
      reporter.hurry();
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(node.reports).toHaveLength(3);
  });

  test("follows one that is on its way", async () => {
    const node = new FakeNode();
    const reporter = start(node);
    reporter.hurry();
    await vi.advanceTimersByTimeAsync(0);
    expect(node.reports.map(({ version }) => version)).toEqual(["1", "2"]);
  });
});

test("a node that holds the line is passed over", async () => {
  const [silent, other] = [new FakeNode(), new FakeNode()];
  silent.isSilent = true;
  start(silent, other);
  await vi.advanceTimersByTimeAsync(9_999);
  expect(other.reports).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(other.reports).toHaveLength(1);
});

test.each([false, true])(
  "ends with its signal, leaving no timer, with a report on its way: %s",
  async (isSilent) => {
    const node = new FakeNode();
    node.isSilent = isSilent;
    start(node);
    await vi.advanceTimersByTimeAsync(0);
    controller.abort();
    await done;
    expect(vi.getTimerCount()).toBe(0);
    expect(problems).toEqual([]);
  },
);
