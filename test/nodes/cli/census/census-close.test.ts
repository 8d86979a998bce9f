import { create, fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { CensusSchema } from "../../../../gen/headwater/v1/flag_pb.ts";
import { censusEntry } from "../../../../nodes/cli/commit/ledger-entry.ts";
import { openFakeAdmin } from "../fake-admin.ts";

const asked = { kind: "FEATURE", name: "old-api", openedMs: 1n, windowMs: 86_400_000n };

test("a question is closed once: closing it again changes nothing", async () => {
  const { terminal, ledger } = await openFakeAdmin();
  const { key, value } = censusEntry(create(CensusSchema, asked));
  ledger.entries.set(key, value);
  const close = () => terminal.run("census", "close", "horizon", key);
  expect(await close()).toMatchObject({ code: 0, stdout: `${key} is closed` });
  const closed = ledger.entries.get(key);
  expect(fromBinary(CensusSchema, closed!).closedMs).toBe(BigInt(terminal.wallMs()));
  terminal.wallMs = () => Date.UTC(2026, 3, 1);
  expect(await close()).toMatchObject({ code: 0, stdout: `${key} was closed before` });
  expect(ledger.entries.get(key)).toEqual(closed);
});

test("a wrong key is told of with the command that names the right ones", async () => {
  const { terminal } = await openFakeAdmin();
  expect(await terminal.run("census", "close", "horizon", "census/x")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("`headwater census show horizon` names those it has."),
  });
});
