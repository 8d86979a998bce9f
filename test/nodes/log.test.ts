import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { createLog, type Log } from "../../nodes/log.ts";

async function written(of: { pretty: boolean }, write: (log: Log) => void): Promise<string> {
  const destination = new PassThrough();
  write(createLog({ level: "info", pretty: of.pretty, destination }));
  destination.end();
  return text(destination);
}

describe("a log", () => {
  it("is a JSON object a line, from its level on", async () => {
    const lines = await written({ pretty: false }, (log) => {
      log.write({ level: "debug", event: "beat-sent", message: "a beat" });
      log.write({ level: "info", event: "ledger-advanced", message: "1.2", fields: { seq: 2 } });
      log.write({ level: "warn", event: "link-lost", message: "gone" });
    });
    expect(
      lines
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as object),
    ).toEqual([
      { level: "info", event: "ledger-advanced", msg: "1.2", seq: 2, time: expect.any(String) },
      { level: "warn", event: "link-lost", msg: "gone", time: expect.any(String) },
    ]);
  });

  it("never has a secret, whatever its field is called", async () => {
    const fields = {
      adminToken: "hunter2",
      Authorization: "Bearer hunter2",
      site_secret: "hunter2",
      ledgerSeed: "hunter2",
      project: "horizon",
    };
    const line = await written({ pretty: false }, (log) =>
      log.write({ level: "info", event: "e", message: "m", fields }),
    );
    expect(line).not.toContain("hunter2");
    expect(line).toContain("horizon");
  });

  it("has an error's stacks and none of its properties", async () => {
    const inner = Object.assign(new Error("refused by peer"), { metadata: { key: "hunter2" } });
    const line = await written({ pretty: false }, (log) =>
      log.write({
        level: "error",
        event: "e",
        message: "m",
        cause: new Error("no link", { cause: inner }),
      }),
    );
    const { error } = JSON.parse(line) as { error: { stack: string } };
    expect(error.stack).toMatch(/^Error: no link\n.*log\.test\.ts/);
    expect(error.stack).toContain("caused by Error: refused by peer");
    expect(line).not.toContain("hunter2");
  });

  it("ends a ring of causes", async () => {
    const ring = new Error("ring");
    ring.cause = ring;
    const line = await written({ pretty: false }, (log) =>
      log.write({ level: "error", event: "e", message: "m", cause: ring }),
    );
    expect(line.split("caused by")).toHaveLength(6);
  });

  it("is for people on a terminal", async () => {
    const lines = await written({ pretty: true }, (log) =>
      log.write({ level: "info", event: "ledger-advanced", message: "horizon is at 1.2" }),
    );
    expect(lines).toMatch(/INFO.*: .*horizon is at 1\.2/);
    expect(lines).not.toMatch(/^\{/);
  });
});
