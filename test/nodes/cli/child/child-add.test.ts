import { describe, expect, it } from "vitest";
import type { AddChildRequest } from "../../../../gen/headwater/v1/nodes_pb.ts";
import { openFakeAdmin } from "../fake-admin.ts";
import type { FakeTerminal } from "../fake-terminal.ts";

const dayMs = 86_400_000;
const wallMs = Date.UTC(2026, 2, 1, 12);

describe("child add", () => {
  async function adding(): Promise<{ terminal: FakeTerminal; asked: AddChildRequest[] }> {
    const asked: AddChildRequest[] = [];
    const addChild = (request: AddChildRequest): { token: string } => {
      asked.push(request);
      return { token: "hw1.abc" };
    };
    const { terminal } = await openFakeAdmin({ nodes: { addChild } });
    return { terminal, asked };
  }

  it("prints the token and nothing else on stdout", async () => {
    const { terminal, asked } = await adding();
    const { code, stdout, stderr } = await terminal.run("child", "add", "acme");
    expect({ code, stdout }).toEqual({ code: 0, stdout: "hw1.abc" });
    expect(stderr).toBe("good until `headwater child revoke acme`; at acme: headwater join TOKEN");
    expect(asked).toMatchObject([{ name: "acme", expiresMs: 0n, projects: [] }]);
  });

  it("limits it to a time and to projects", async () => {
    const { terminal, asked } = await adding();
    const options = ["--expires", "30d", "--project", "horizon", "keystone"];
    expect(await terminal.json("child", "add", "acme", ...options)).toEqual({
      name: "acme",
      token: "hw1.abc",
      expiresMs: wallMs + 30 * dayMs,
    });
    expect(asked).toMatchObject([
      { expiresMs: BigInt(wallMs + 30 * dayMs), projects: ["horizon", "keystone"] },
    ]);
  });

  it("takes names only", async () => {
    const { terminal, asked } = await adding();
    expect(await terminal.run("child", "add", "a b")).toMatchObject({ code: 2, stdout: "" });
    expect(asked).toEqual([]);
  });
});

it("child list says how each is", async () => {
  const child = { id: new Uint8Array(16), addedMs: BigInt(wallMs - dayMs) };
  const children = [
    { ...child, name: "a", connected: true },
    { ...child, name: "b", expiresMs: BigInt(wallMs + dayMs) },
    { ...child, name: "c", expiresMs: BigInt(wallMs - 1) },
    { ...child, name: "d", revoked: true },
  ];
  const { terminal } = await openFakeAdmin({ nodes: { listChildren: () => ({ children }) } });
  const rows = (await terminal.run("child", "list")).stdout.split("\n").slice(1);
  expect(rows.map((row) => row.split(/ {2,}/))).toEqual([
    ["a", expect.any(String), "never", "connected"],
    ["b", expect.any(String), expect.any(String), "not connected"],
    ["c", expect.any(String), expect.any(String), "expired"],
    ["d", expect.any(String), "never", "revoked"],
  ]);
  expect(await terminal.json("child", "list")).toMatchObject([
    { name: "a", id: "00".repeat(16), connected: true },
    { name: "b", expiresMs: wallMs + dayMs },
    {},
    { revoked: true },
  ]);
});

it("child revoke counts what it ended", async () => {
  const { terminal } = await openFakeAdmin({
    nodes: { revokeChild: ({ name }) => ({ revokedCount: name === "acme" ? 1 : 2 }) },
  });
  expect((await terminal.run("child", "revoke", "acme")).stdout).toBe("revoked 1 token of acme");
  expect((await terminal.run("child", "revoke", "b")).stdout).toBe("revoked 2 tokens of b");
  expect(await terminal.json("child", "revoke", "b")).toEqual({ name: "b", revokedCount: 2 });
});
