import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { EnvelopeSchema } from "../../../gen/headwater/v1/ledger_pb.ts";
import { JoinTokenSchema } from "../../../gen/headwater/v1/mesh_pb.ts";
import {
  ChildSchema,
  ExplainResponseSchema,
  GetStatusResponseSchema,
  NodeService,
} from "../../../gen/headwater/v1/nodes_pb.ts";
import { HeadwaterError } from "../../../nodes/error.ts";
import { done, refused } from "../../../relay/refusal.ts";
import { formatToken, parseToken } from "../../../relay/trust/join-token.ts";
import { FakeAccess } from "../fake-access.ts";
import { openTestAdmin } from "./open-admin.ts";

const joinToken = create(JoinTokenSchema, {
  addresses: ["mesh.example:7701"],
  certificate: new Uint8Array([1, 2, 3]),
  site: "acme",
  pins: [{ project: "horizon", authority: new Uint8Array(32) }],
  credential: create(EnvelopeSchema, { payloadType: "credential" }),
});

test("GetStatus adds the program and when it started", async () => {
  const access = new FakeAccess({
    status: () => create(GetStatusResponseSchema, { node: "n-1", site: "acme" }),
  });
  const { client } = await openTestAdmin(access);
  expect(await client(NodeService).getStatus({})).toMatchObject({
    node: "n-1",
    site: "acme",
    software: "headwater 0.0.0-test",
    startedMs: BigInt(access.wallMs - 1_000),
  });
});

test("Explain reads, and passes on what is unknown", async () => {
  const access = new FakeAccess({
    explain: ({ flag }) =>
      flag === "fast-path"
        ? done(create(ExplainResponseSchema, { freshness: "FRESH", release: "2.3.0" }))
        : refused("unknown", `flag: horizon has no ${flag}`),
  });
  const nodes = (await openTestAdmin(access)).client(NodeService);
  const known = await nodes.explain({ project: "horizon", flag: "fast-path" });
  expect(known).toMatchObject({ release: "2.3.0" });
  const error = await nodes.explain({ project: "horizon", flag: "x" }).catch((e: unknown) => e);
  expect(HeadwaterError.from(error)).toMatchObject({
    kind: "unknown",
    message: "flag: horizon has no x",
  });
});

describe("children", () => {
  test("get a token to paste, with an id that nobody has had before", async () => {
    const access = new FakeAccess();
    access.answers.set("add-child", () => joinToken);
    const nodes = (await openTestAdmin(access)).client(NodeService);
    const { token } = await nodes.addChild({ name: "leaf", expiresMs: 5n, projects: ["horizon"] });
    expect(parseToken(token)).toMatchObject({ ok: true, value: { site: "acme" } });
    await nodes.addChild({ name: "leaf" });
    expect(access.asked).toMatchObject([
      {
        kind: "add-child",
        name: "leaf",
        expiresMs: 5,
        projects: ["horizon"],
        addresses: ["mesh.example:7701"],
        certificate: Uint8Array.of(1, 2, 3),
      },
      { expiresMs: 0, projects: [] },
    ]);
    const ids = access.asked.map((one) => (one.kind === "add-child" ? one.id : new Uint8Array()));
    expect(ids.map((id) => id.length)).toEqual([16, 16]);
    expect(ids[0]).not.toEqual(ids[1]);
  });

  test("are listed and revoked", async () => {
    const access = new FakeAccess({
      children: () => [create(ChildSchema, { name: "leaf", connected: true })],
    });
    access.answers.set("revoke-child", () => ({ revokedCount: 2 }));
    const nodes = (await openTestAdmin(access)).client(NodeService);
    expect((await nodes.listChildren({})).children).toMatchObject([{ name: "leaf" }]);
    expect(await nodes.revokeChild({ name: "leaf" })).toMatchObject({ revokedCount: 2 });
    expect(access.asked).toMatchObject([{ kind: "revoke-child", name: "leaf" }]);
  });
});

describe("Join", () => {
  test("hands the node the token that was pasted", async () => {
    const access = new FakeAccess();
    const { site, addresses, pins } = joinToken;
    access.answers.set("join", () => ({ site, addresses, projects: pins }));
    const { client } = await openTestAdmin(access);
    const joined = await client(NodeService).join({ token: `${formatToken(joinToken)}\n` });
    expect(joined).toMatchObject({ site, addresses, projects: [{ project: "horizon" }] });
    expect(access.asked).toMatchObject([{ kind: "join", token: { site } }]);
  });

  test("refuses what is no token, with what to do", async () => {
    const { client, access } = await openTestAdmin();
    const error = HeadwaterError.from(
      await client(NodeService)
        .join({ token: "hw1" })
        .catch((thrown: unknown) => thrown),
    );
    expect(error.kind).toBe("invalid");
    expect(error.message).toMatch(/^token: /);
    expect(error.hint).toContain("headwater child add");
    expect(access.asked).toEqual([]);
  });
});
