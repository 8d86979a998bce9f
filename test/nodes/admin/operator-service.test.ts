import { connect } from "node:net";
import { create } from "@bufbuild/protobuf";
import { expect, test, vi } from "vitest";
import { OperatorService } from "../../../gen/headwater/v1/operators_pb.ts";
import { TokenRecordSchema } from "../../../gen/headwater/v1/store_pb.ts";
import { digestOf } from "../../../nodes/admin/authorization.ts";
import type { BackupPiece } from "../../../nodes/admin/operator-service.ts";
import { FakeAccess } from "../fake-access.ts";
import { openTestAdmin, token } from "./open-admin.ts";

/** A busy machine needs it. */
const within = { timeout: 20_000, interval: 5 };

/** A copy that goes on for as long as somebody takes it, and what has become of it. */
function endlessBackup(): { backup: () => AsyncGenerator<BackupPiece>; isOpen: () => boolean } {
  let isOpen = false;
  const backup = async function* (): AsyncGenerator<BackupPiece> {
    isOpen = true;
    try {
      yield { file: "headwater.db" };
      for (;;) {
        yield { bytes: Buffer.alloc(64 * 1024) };
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    } finally {
      isOpen = false;
    }
  };
  return { backup, isOpen: () => isOpen };
}

test("a backup ends when the token that it was asked for with is revoked", async () => {
  const access = new FakeAccess();
  const of = { name: "keeper", digest: digestOf("shown"), scopes: ["admin"] };
  access.tokens = [create(TokenRecordSchema, of)];
  const { backup, isOpen } = endlessBackup();
  const admin = await openTestAdmin(access, { backup });
  const take = async (): Promise<void> => {
    for await (const _piece of admin.grpcClient(OperatorService, "Bearer shown").backup({}));
  };
  const taken = take();
  await vi.waitUntil(isOpen, within);
  access.tokens = [];
  await expect(taken).rejects.toThrow("revoked");
  await vi.waitUntil(() => !isOpen(), within);
});

test("a copy is done with when whoever took nothing of it has gone", async () => {
  const { backup, isOpen } = endlessBackup();
  const admin = await openTestAdmin(new FakeAccess(), { backup });
  const { port, hostname } = new URL(admin.url);
  const socket = connect(Number(port), hostname);
  socket.pause();
  const frame = "\0\0\0\0\0";
  socket.write(
    `POST /${OperatorService.typeName}/Backup HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n` +
      `content-type: application/connect+proto\r\nconnect-protocol-version: 1\r\ncontent-length: 5\r\n\r\n${frame}`,
  );
  await vi.waitUntil(isOpen, within);
  await new Promise((resolve) => setTimeout(resolve, 500));
  socket.destroy();
  await vi.waitFor(() => expect(isOpen()).toBe(false), within);
});
