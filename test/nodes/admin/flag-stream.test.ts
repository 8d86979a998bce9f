import { describe, expect, test, vi } from "vitest";
import { NodeService, type WatchFlagsResponse } from "../../../gen/headwater/v1/nodes_pb.ts";
import { FlagStreams } from "../../../nodes/admin/flag-stream.ts";
import { HeadwaterError } from "../../../nodes/error.ts";
import { FlagTable } from "../../../relay/layers/flag-table.ts";
import { operatorStreamsMax } from "../../../relay/limits.ts";
import { FakeAccess, flagAt } from "../fake-access.ts";
import { type OpenedAdmin, openTestAdmin } from "./open-admin.ts";

function nodeWithTwoProjects(): FakeAccess {
  const access = new FakeAccess();
  const table = (...flags: [string, number][]): Map<string, FlagTable> =>
    new Map([
      [
        "",
        new FlagTable(
          "",
          flags.map(([name, basisPoints]) => flagAt(name, basisPoints)),
        ),
      ],
    ]);
  access.project("horizon", { tables: table(["fast-path", 500], ["new-scheduler", 100]) });
  access.project("nova", { tables: table(["live-move", 10_000]) });
  return access;
}

function watch(admin: OpenedAdmin, project: string): { lines: string[]; ended: Promise<unknown> } {
  const lines: string[] = [];
  const words = (line: WatchFlagsResponse): string =>
    `${line.initial ? "is" : "now"} ${line.project}/${line.flag} ${line.says}`.trimEnd();
  const read = async (): Promise<void> => {
    for await (const line of admin.client(NodeService).watchFlags({ project }))
      lines.push(words(line));
  };
  const ended = read().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { lines, ended };
}

async function waitForLines(lines: readonly string[], count: number): Promise<readonly string[]> {
  await vi.waitUntil(() => lines.length >= count, { timeout: 20_000, interval: 5 });
  return lines;
}

describe("WatchFlags", () => {
  test("tells what is, then what changes: set, made and gone", async () => {
    const admin = await openTestAdmin(nodeWithTwoProjects());
    const { lines } = watch(admin, "horizon");
    const initial = ["is horizon/fast-path 5 %", "is horizon/new-scheduler 1 %"];
    expect(await waitForLines(lines, initial.length)).toEqual(initial);
    admin.access.set("horizon", "", flagAt("new-scheduler", 2_500));
    expect((await waitForLines(lines, 3))[2]).toBe("now horizon/new-scheduler 25 %");
    admin.access.set("nova", "", flagAt("live-move", 0));
    admin.access.set("horizon", "", flagAt("wide-path", 100));
    admin.access.change("horizon", "", new Map([["fast-path", undefined]]));
    expect((await waitForLines(lines, 5)).slice(3)).toEqual([
      "now horizon/wide-path 1 %",
      "now horizon/fast-path",
    ]);
  });

  test("tells of every project when none is named, new ones included", async () => {
    const admin = await openTestAdmin(nodeWithTwoProjects());
    const { lines } = watch(admin, "");
    const initial = [
      "is horizon/fast-path 5 %",
      "is horizon/new-scheduler 1 %",
      "is nova/live-move 100 %",
    ];
    expect(await waitForLines(lines, initial.length)).toEqual(initial);
    admin.access.project("swift", {
      tables: new Map([["", new FlagTable("", [flagAt("x", 100)])]]),
    });
    admin.access.expose("swift");
    expect((await waitForLines(lines, 4))[3]).toBe("now swift/x 1 %");
  });

  test("says that a project is not held here", async () => {
    const admin = await openTestAdmin(nodeWithTwoProjects());
    const error = HeadwaterError.from(await watch(admin, "unheard-of").ended);
    expect(error.kind).toBe("unknown");
    expect(error.message).toMatch(/^project: "unheard-of"/);
  });

  test("says that the node stops", async () => {
    const admin = await openTestAdmin(nodeWithTwoProjects());
    const { lines, ended } = watch(admin, "nova");
    await waitForLines(lines, 1);
    await admin.listener.close();
    expect(HeadwaterError.from(await ended)).toMatchObject({
      kind: "unavailable",
      message: "the node is stopping",
    });
  });
});

describe("the streams of a node", () => {
  const open = (streams: FlagStreams, signal = new AbortController().signal) =>
    streams.open("horizon", signal)[Symbol.asyncIterator]();

  test("owe one line for each flag, however often it changed, with what it says last", async () => {
    const access = nodeWithTwoProjects();
    const lines = open(new FlagStreams(access, new AbortController().signal));
    await lines.next();
    await lines.next();
    for (let basisPoints = 101; basisPoints <= 200; basisPoints++)
      access.set("horizon", "", flagAt("new-scheduler", basisPoints));
    access.set("horizon", "", flagAt("fast-path", 600));
    expect((await lines.next()).value).toMatchObject({ flag: "new-scheduler", says: "2 %" });
    expect((await lines.next()).value).toMatchObject({ flag: "fast-path", says: "6 %" });
  });

  test("are bounded; one that ends makes room", () => {
    const streams = new FlagStreams(nodeWithTwoProjects(), new AbortController().signal);
    const first = new AbortController();
    open(streams, first.signal);
    for (let i = 1; i < operatorStreamsMax; i++) open(streams);
    expect(() => open(streams)).toThrow(`${operatorStreamsMax} streams are open`);
    first.abort();
    expect(() => open(streams)).not.toThrow();
  });

  test("ends with its signal", async () => {
    const streams = new FlagStreams(nodeWithTwoProjects(), new AbortController().signal);
    const abort = new AbortController();
    const lines = open(streams, abort.signal);
    await lines.next();
    await lines.next();
    const waiting = lines.next();
    abort.abort();
    expect(await waiting).toEqual({ done: true, value: undefined });
  });
});
