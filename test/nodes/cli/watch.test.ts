import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, it, vi } from "vitest";
import { openFakeAdmin } from "./fake-admin.ts";
import { FakeLedger, refusal } from "./fake-ledger.ts";
import type { FakeTerminal } from "./fake-terminal.ts";

vi.setConfig({ testTimeout: 30_000 });

interface Change {
  readonly flag: string;
  readonly says: string;
  readonly initial: boolean;
}

const atMs = BigInt(Date.UTC(2026, 2, 1));

/** Streams these changes and then stays open; the next connection gets the next ones. */
function watchFlags(
  streams: Change[][],
): (request: { project: string }, context: { signal: AbortSignal }) => AsyncIterable<object> {
  return async function* ({ project }, { signal }) {
    const changes = streams.shift() ?? [];
    for (const change of changes)
      yield { atMs, project: project || "horizon", freshness: "FRESH", ...change };
    if (streams.length > 0) return;
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  };
}

const initial = (flag: string, says: string): Change => ({ flag, says, initial: true });
const changed = (flag: string, says: string): Change => ({ flag, says, initial: false });

async function printed(terminal: FakeTerminal, count: number): Promise<string[]> {
  await vi.waitFor(() => expect(terminal.printed.length).toBeGreaterThanOrEqual(count), 10_000);
  return terminal.printed;
}

it("prints flags as they are, then each change, until interrupted", async () => {
  const streams = [
    [initial("a", "5 %"), initial("b", "0 %"), changed("a", "10 %"), changed("b", "")],
  ];
  const { terminal } = await openFakeAdmin({ nodes: { watchFlags: watchFlags(streams) } });
  const running = terminal.run("watch", "horizon");
  const lines = await printed(terminal, 4);
  expect(lines.map((line) => line.replace(/^\d\d:\d\d:\d\d {2}/, ""))).toEqual([
    "horizon/a  5 %  FRESH",
    "horizon/b  0 %  FRESH",
    "horizon/a  10 %  FRESH",
    "horizon/b  deleted  FRESH",
  ]);
  terminal.interruption.abort();
  expect(await running).toMatchObject({ code: 0, stderr: "" });
});

it("ends when nobody reads it any more", async () => {
  const { terminal } = await openFakeAdmin({
    nodes: { watchFlags: watchFlags([[initial("a", "5 %")]]) },
  });
  const running = terminal.run("watch", "horizon");
  await printed(terminal, 1);
  terminal.leaving.abort();
  expect(await running).toMatchObject({ code: 0, stderr: "" });
});

it("prints a JSON value a line for machines", async () => {
  const { terminal } = await openFakeAdmin({
    nodes: { watchFlags: watchFlags([[initial("a", "5 %")]]) },
  });
  const running = terminal.run("watch", "--json");
  const [line = ""] = await printed(terminal, 1);
  expect(line).not.toContain("\n");
  expect(JSON.parse(line)).toEqual({
    atMs: Number(atMs),
    project: "horizon",
    flag: "a",
    says: "5 %",
    initial: true,
    freshness: "FRESH",
  });
  terminal.interruption.abort();
  await running;
});

it("connects again when the node goes, says so, and repeats nothing", async () => {
  // The shortest wait: the jitter is between nothing and a bound.
  using _chance = vi.spyOn(Math, "random").mockReturnValue(0);
  const streams = [
    [initial("a", "5 %"), initial("b", "0 %")],
    [initial("a", "5 %"), initial("b", "1 %")],
  ];
  const { terminal, ledger } = await openFakeAdmin({ nodes: { watchFlags: watchFlags(streams) } });
  for (const flag of ["a", "b"]) ledger.entries.set(`flag/${flag}`, new Uint8Array(0));
  const running = terminal.run("watch", "horizon");
  const lines = await printed(terminal, 3);
  expect(lines).toHaveLength(3);
  expect(lines[2]).toContain("horizon/b  1 %");
  expect(terminal.noted).toEqual(["lost the node: the node has ended the stream; again in 0s"]);
  terminal.interruption.abort();
  await running;
});

it("tells of flags that were deleted while the node was away", async () => {
  using _chance = vi.spyOn(Math, "random").mockReturnValue(0);
  const streams = [[initial("a", "5 %"), initial("b", "0 %")], [initial("a", "5 %")]];
  const { terminal, ledger } = await openFakeAdmin({ nodes: { watchFlags: watchFlags(streams) } });
  ledger.entries.set("flag/a", new Uint8Array(0));
  const running = terminal.run("watch");
  const lines = await printed(terminal, 3);
  expect(lines[2]).toContain("horizon/b  deleted  FRESH");
  terminal.interruption.abort();
  await running;
});

it("tells once of a flag that is deleted while it connects again", async () => {
  using _chance = vi.spyOn(Math, "random").mockReturnValue(0);
  const streams = [
    [initial("a", "5 %"), initial("b", "0 %"), initial("c", "0 %")],
    [initial("a", "5 %"), changed("c", ""), changed("a", "6 %")],
  ];
  const { terminal, ledger } = await openFakeAdmin({ nodes: { watchFlags: watchFlags(streams) } });
  for (const flag of ["a", "b", "c"]) ledger.entries.set(`flag/${flag}`, new Uint8Array(0));
  let readsCount = 0;
  ledger.beforeRead = () => {
    // After the answer to the first, and before the stream is open, b goes; c once it is.
    readsCount++;
    if (readsCount === 2) for (const flag of ["b", "c"]) ledger.entries.delete(`flag/${flag}`);
  };
  const running = terminal.run("watch");
  await vi.waitFor(() => expect(terminal.printed.join("\n")).toContain("6 %"), 20_000);
  expect(terminal.printed.slice(3).map((line) => line.replace(/^\d\d:\d\d:\d\d {2}/, ""))).toEqual([
    "horizon/b  deleted  FRESH",
    "horizon/c  deleted  FRESH",
    "horizon/a  6 %  FRESH",
  ]);
  terminal.interruption.abort();
  await running;
});

it("ends at once where the node came back, and does not answer", async () => {
  using _chance = vi.spyOn(Math, "random").mockReturnValue(0);
  const streams = [[initial("a", "5 %")], [initial("a", "5 %")]];
  const { terminal, ledger } = await openFakeAdmin({ nodes: { watchFlags: watchFlags(streams) } });
  let isAsked = false;
  ledger.beforeRead = () => {
    isAsked = true;
    return new Promise(() => {});
  };
  const running = terminal.run("watch");
  await vi.waitUntil(() => isAsked, 10_000);
  terminal.interruption.abort();
  const late = sleep(5_000, "late");
  expect(await Promise.race([running, late])).toMatchObject({ code: 0 });
});

it("takes nothing for deleted that a node does not hold yet", async () => {
  using _chance = vi.spyOn(Math, "random").mockReturnValue(0);
  const streams = [[initial("a", "5 %")], [initial("a", "6 %")]];
  const { terminal, ledger } = await openFakeAdmin({ nodes: { watchFlags: watchFlags(streams) } });
  ledger.exists = false;
  const running = terminal.run("watch");
  expect((await printed(terminal, 2))[1]).toContain("horizon/a  6 %");
  terminal.interruption.abort();
  await running;
});

it("waits for a node that was there, over failures", async () => {
  using _chance = vi.spyOn(Math, "random").mockReturnValue(0);
  const failures = [
    new ConnectError("reset", Code.Unavailable),
    refusal("unavailable", "stopping", "wait"),
  ];
  const stream = watchFlags([[initial("a", "5 %")], [initial("a", "6 %")]]);
  let count = 0;
  const ledger = new FakeLedger("horizon");
  ledger.entries.set("flag/a", new Uint8Array(0));
  const { terminal } = await openFakeAdmin({
    ledger,
    nodes: {
      watchFlags: (request, context) => {
        const failure = count++ === 0 ? undefined : failures.shift();
        if (failure !== undefined) throw failure;
        return stream(request, context);
      },
    },
  });
  const running = terminal.run("watch", "horizon");
  expect((await printed(terminal, 2))[1]).toContain("6 %");
  expect(terminal.noted).toEqual([
    "lost the node: the node has ended the stream; again in 0s",
    "lost the node: reset; again in 0s",
    "lost the node: stopping; again in 0s",
  ]);
  terminal.interruption.abort();
  await running;
});

it("gives up at once when the node was never there, or refuses", async () => {
  const admin = await openFakeAdmin({
    nodes: {
      watchFlags: () => {
        throw refusal("unknown", "project: not held here");
      },
    },
  });
  expect(await admin.terminal.run("watch", "none")).toMatchObject({
    code: 1,
    stderr: "error: project: not held here",
  });
  await admin.close();
  expect(await admin.terminal.run("watch")).toMatchObject({ code: 3 });
});
