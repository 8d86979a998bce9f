import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { LedgerService } from "../../../gen/headwater/v1/ledgers_pb.ts";
import { NodeService } from "../../../gen/headwater/v1/nodes_pb.ts";
import { TokenRecordSchema } from "../../../gen/headwater/v1/store_pb.ts";
import { Authorization } from "../../../nodes/admin/authorization.ts";
import { HeadwaterError } from "../../../nodes/error.ts";
import { wrongTokensBurstMax, wrongTokensPerSecondMax } from "../../../relay/limits.ts";
import { openTestAdmin, token } from "./open-admin.ts";

const mine = "127.0.0.1";

/** The kind of the refusal, or "in". */
function attempt(authorization: Authorization, header: string | undefined, of = {}): string {
  try {
    authorization.check({ header, address: mine, wallMs: 0, monoMs: 0, ...of });
    return "in";
  } catch (thrown) {
    return HeadwaterError.from(thrown).kind;
  }
}

describe("the token", () => {
  test.each([`Bearer ${token}`, `bearer ${token}`, `Bearer  ${token} `])(
    "lets in: %j",
    (header) => {
      expect(attempt(new Authorization(token), header)).toBe("in");
    },
  );

  test.each([
    undefined,
    "",
    "Bearer",
    "Bearer ",
    token,
    `Basic ${token}`,
    `Bearer ${token}x`,
    `Bearer x ${token}`,
    `Bearer ${token.slice(1)}`,
  ])("does not let in: %j", (header) => {
    expect(attempt(new Authorization(token), header)).toBe("unauthenticated");
  });

  test("that has expired is not mended with the node's own, which is not for whoever had it", () => {
    const shown = "hwt_shown";
    const digest = createHash("sha256").update(shown).digest();
    const record = create(TokenRecordSchema, { name: "ci", digest, expiresMs: 1n });
    const authorization = new Authorization(token, () => [record]);
    const caller = { header: `Bearer ${shown}`, address: mine, wallMs: 1, monoMs: 0 };
    expect(() => authorization.check(caller)).toThrow(
      expect.objectContaining({
        message: "the token ci has expired",
        hint: expect.stringContaining("`headwater token add`"),
      }),
    );
  });

  test("cannot be guessed fast: after some failures an address has to wait", () => {
    const authorization = new Authorization(token);
    for (let i = 0; i < wrongTokensBurstMax; i++)
      expect(attempt(authorization, "Bearer wrong")).toBe("unauthenticated");
    expect(attempt(authorization, "Bearer wrong")).toBe("limit");
    expect(attempt(authorization, `Bearer ${token}`)).toBe("limit");
    expect(attempt(authorization, `Bearer ${token}`, { address: "192.0.2.1" })).toBe("in");
    const monoMs = 1_000 / wrongTokensPerSecondMax;
    expect(attempt(authorization, `Bearer ${token}`, { monoMs })).toBe("in");
    expect(authorization.refusedCount).toBe(wrongTokensBurstMax + 2);
  });

  test("is not used up by calls that show it", () => {
    const authorization = new Authorization(token);
    for (let i = 0; i <= 2 * wrongTokensBurstMax; i++)
      expect(attempt(authorization, `Bearer ${token}`)).toBe("in");
  });
});

describe("every call", () => {
  test("without the token is refused, with what to do, and does nothing", async () => {
    const { grpcClient, access } = await openTestAdmin();
    for (const shown of [undefined, "Bearer wrong"]) {
      const watching = async (): Promise<void> => {
        for await (const _ of grpcClient(NodeService, shown).watchFlags({}));
      };
      for (const call of [
        () => grpcClient(LedgerService, shown).prepareLedger({ project: "horizon" }),
        () => grpcClient(NodeService, shown).getStatus({}),
        watching,
      ]) {
        const error = HeadwaterError.from(await call().catch((thrown: unknown) => thrown));
        expect(error.kind).toBe("unauthenticated");
        expect(error.hint).toContain("HEADWATER_ADMIN_TOKEN");
        expect(error.hint).toContain("admin.token");
      }
    }
    expect(access.asked).toEqual([]);
  });

  test("with the token is answered", async () => {
    const { grpcClient } = await openTestAdmin();
    const children = grpcClient(NodeService, `Bearer ${token}`).watchFlags({
      project: "unheard-of",
    });
    const first = children[Symbol.asyncIterator]().next();
    await expect(first).rejects.toThrow(/^\[not_found\]/);
  });
});
