import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { type HistoryRecord, HistoryRecordSchema } from "../../gen/headwater/v1/ledgers_pb.ts";
import { operatorTokensMax } from "../../relay/limits.ts";
import { refusalOf, seedOf } from "./authority.ts";
import { rootNode, type SteppedNode } from "./stepped-node.ts";

const by = { actor: "ada@workstation", token: "ci", address: "192.0.2.1", commit: "" };

function auditOf(node: SteppedNode): HistoryRecord[] {
  return [...node.stored.values()].flatMap(({ bucket, value }) =>
    bucket === "audit" ? [fromBinary(HistoryRecordSchema, value)] : [],
  );
}

function addToken(node: SteppedNode, name: string, scopes = ["flags"]) {
  const digest = seedOf(name);
  return node.ask((call) => ({ kind: "add-token", call, name, digest, scopes, expiresMs: 0, by }));
}

describe("what an operator does", () => {
  test("is written down with who, from where and with which token, and told in one line", () => {
    const root = rootNode();
    const before = auditOf(root).length;
    const effects = root.tell({
      kind: "add-child",
      call: 99,
      name: "acme",
      expiresMs: 0,
      projects: [],
      addresses: [],
      certificate: new Uint8Array(0),
      id: seedOf("acme").subarray(16),
      by,
    });
    addToken(root, "pipeline");
    root.ask((call) => ({ kind: "revoke-token", call, name: "pipeline", by }));
    expect(auditOf(root).slice(before)).toMatchObject([
      { key: "child/acme", ...by },
      { key: "token/pipeline", says: "a token for flags", ...by },
      { key: "token/pipeline", says: "the token is revoked", ...by },
    ]);
    const logs = effects.flatMap((effect) => (effect.kind === "log" ? [effect.entry] : []));
    expect(logs).toMatchObject([
      { event: "operated", fields: { operation: "add-child", actor: by.actor, with: "ci" } },
    ]);
  });

  test("is not, where it was refused or the disk is full", () => {
    const root = rootNode();
    const before = auditOf(root).length;
    expect(refusalOf(addToken(root, "x", ["everything"]))).toContain("scopes");
    root.disk = "full";
    expect(addToken(root, "x").ok).toBe(false);
    expect(root.node.reads.tokens()).toEqual([]);
    expect(auditOf(root)).toHaveLength(before);
  });
});

describe("tokens", () => {
  test("outlive a restart, as hashes, until they are revoked", () => {
    const root = rootNode();
    addToken(root, "ci", ["overlay", "flags"]);
    root.restart();
    expect(root.node.reads.tokens()).toMatchObject([
      { name: "ci", digest: seedOf("ci"), scopes: ["flags", "overlay"] },
    ]);
    expect(refusalOf(addToken(root, "ci"))).toContain("conflict");
    root.ask((call) => ({ kind: "revoke-token", call, name: "ci" }));
    root.restart();
    expect(root.node.reads.tokens()).toEqual([]);
    const again = root.ask((call) => ({ kind: "revoke-token", call, name: "ci" }));
    expect(refusalOf(again)).toContain("unknown");
  });

  test("are bounded", () => {
    const root = rootNode();
    for (let n = 0; n < operatorTokensMax; n++) addToken(root, `token-${n}`);
    expect(refusalOf(addToken(root, "one-more"))).toContain("limit");
  });
});
