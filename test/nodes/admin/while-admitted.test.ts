import { create } from "@bufbuild/protobuf";
import { expect, test, vi } from "vitest";
import { NodeService } from "../../../gen/headwater/v1/nodes_pb.ts";
import { TokenRecordSchema } from "../../../gen/headwater/v1/store_pb.ts";
import { digestOf } from "../../../nodes/admin/authorization.ts";
import { FakeAccess } from "../fake-access.ts";
import { openTestAdmin } from "./open-admin.ts";

test.each([
  ["is revoked", (access: FakeAccess) => (access.tokens = [])],
  ["is over", (access: FakeAccess) => (access.wallMs += 60_000)],
])("a stream ends when the token that it was opened with %s", async (_, end) => {
  const access = new FakeAccess();
  const of = { digest: digestOf("shown"), scopes: ["read"] };
  const expiresMs = BigInt(access.wallMs + 60_000);
  const other = create(TokenRecordSchema, { name: "other", ...of, digest: digestOf("other") });
  access.tokens = [create(TokenRecordSchema, { name: "looker", ...of, expiresMs }), other];
  const admin = await openTestAdmin(access);
  access.project("horizon");
  const watch = (shown: string): { isOpen: boolean } => {
    const state = { isOpen: true };
    const read = async (): Promise<void> => {
      for await (const _line of admin.grpcClient(NodeService, `Bearer ${shown}`).watchFlags({}));
    };
    const ended = (): void => void (state.isOpen = false);
    void read().then(ended, ended);
    return state;
  };
  const [looker, stays] = [watch("shown"), watch("a-token-of-the-test")];
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect([looker.isOpen, stays.isOpen]).toEqual([true, true]);
  end(access);
  await vi.waitUntil(() => !looker.isOpen, { timeout: 5_000 });
  expect(stays.isOpen).toBe(true);
});
