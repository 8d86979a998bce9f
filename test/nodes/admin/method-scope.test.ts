import { describe, expect, test } from "vitest";
import { LedgerService } from "../../../gen/headwater/v1/ledgers_pb.ts";
import { OperatorService } from "../../../gen/headwater/v1/operators_pb.ts";
import { digestOf } from "../../../nodes/admin/authorization.ts";
import { HeadwaterError } from "../../../nodes/error.ts";
import type { OperatorScope } from "../../../relay/trust/operator-tokens.ts";
import { FakeAccess } from "../fake-access.ts";
import { openTestAdmin } from "./open-admin.ts";

const authority = new Uint8Array(32).fill(1);
const overlay = new Uint8Array(32).fill(2);
const own = { project: "horizon", authority };

/** What becomes of calls with a token of a scope; "in" is past the door, whatever comes then. */
async function attemptsWith(scope: OperatorScope, expiresMs = 0n) {
  const access = new FakeAccess({ pins: () => [{ ...own, overlays: [overlay] }] as never });
  const secret = `token-for-${scope}`;
  access.tokens = [
    { name: scope, digest: digestOf(secret), scopes: [scope], addedMs: 0n, expiresMs },
  ] as never;
  for (const kind of ["commit", "add-token", "create-ledger"] as const)
    access.answers.set(kind, () => ({}));
  const { grpcClient, get } = await openTestAdmin(access);
  const ledgers = grpcClient(LedgerService, `Bearer ${secret}`);
  const operators = grpcClient(OperatorService, `Bearer ${secret}`);
  const kindOf = (call: Promise<unknown>): Promise<string> =>
    call.then(
      () => "in",
      (thrown: unknown) => HeadwaterError.from(thrown).kind,
    );
  return {
    read: await kindOf(ledgers.listHistory({ project: "horizon" })),
    metrics: (await get("/metrics", { authorization: `Bearer ${secret}` })).status,
    flags: await kindOf(ledgers.commit({ ledger: own })),
    unnamed: await kindOf(ledgers.commit({ ledger: { project: "horizon" } })),
    overlay: await kindOf(ledgers.commit({ ledger: { ...own, authority: overlay } })),
    admin: await kindOf(operators.addToken({ name: "x", scopes: ["admin"] })),
    by: access.asked.map((one) => ("by" in one ? one.by?.token : undefined)),
  };
}

const no = "forbidden";

describe("a token does what its scope says, and no more", () => {
  test.each<[OperatorScope, object]>([
    ["read", { flags: no, unnamed: no, overlay: no, admin: no, by: [] }],
    ["flags", { flags: "in", unnamed: "in", overlay: no, admin: no, by: ["flags", "flags"] }],
    ["overlay", { flags: no, unnamed: no, overlay: "in", admin: no, by: ["overlay"] }],
    ["admin", { flags: "in", unnamed: "in", overlay: "in", admin: "in" }],
  ])("%s", async (scope, may) => {
    const attempts = await attemptsWith(scope);
    expect(attempts).toMatchObject({ read: "in", ...may });
    expect(attempts.metrics).not.toBe(401);
    expect(attempts.metrics).not.toBe(403);
  });

  test("and nothing once it has expired", async () => {
    expect(await attemptsWith("admin", 1n)).toMatchObject({
      read: "unauthenticated",
      admin: "unauthenticated",
      metrics: 401,
      by: [],
    });
  });
});
