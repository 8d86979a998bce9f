import { describe, expect, test } from "vitest";
import { tokensCountMax } from "../../../relay/limits.ts";
import { Children } from "../../../relay/trust/children.ts";
import { signCredential } from "../../../relay/trust/join-token.ts";
import { epochMs, keyOf, refusalOf, seedOf, valueOf } from "../authority.ts";

const siteKey = keyOf("site");
const revocation = { older: false, connected: [], wallMs: epochMs };

describe("a child", () => {
  test("is known by the credential that it was given", () => {
    const children = withChildren("acme");
    expect(valueOf(children.authenticate(shows("acme"), epochMs)).site).toBe("acme");
  });

  test("is known to a node that did not give it: any of the site's nodes takes it", () => {
    expect(valueOf(withChildren().authenticate(shows("acme"), epochMs)).site).toBe("acme");
  });

  test("is turned away once it is revoked, the others are not (I15)", () => {
    const children = withChildren("acme", "corp");
    revoke(children, "acme");
    expect(refusalOf(children.authenticate(shows("acme"), epochMs))).toContain("revoked");
    expect(children.authenticate(shows("corp"), epochMs).ok).toBe(true);
  });

  test("that is revoked and added again is known by its new credential only", () => {
    const children = withChildren("acme");
    revoke(children, "acme");
    give(children, "acme", "second");
    expect(children.authenticate(shows("acme"), epochMs).ok).toBe(false);
    expect(children.authenticate(shows("acme", "second"), epochMs).ok).toBe(true);
    expect(valueOf(children.revoked("acme", revocation))).toHaveLength(2);
  });

  test("has all its credentials revoked at once", () => {
    const children = withChildren("acme");
    give(children, "acme", "second");
    expect(valueOf(children.revoked("acme", revocation))).toHaveLength(3);
  });

  test("of another site's key, with an expired credential or with none is a stranger", () => {
    const children = withChildren("acme");
    const foreign = shows("acme", "acme", { key: keyOf("other") });
    expect(refusalOf(children.authenticate(foreign, epochMs))).toContain("not one");
    const expired = shows("acme", "acme", { expiresMs: epochMs });
    expect(refusalOf(children.authenticate(expired, epochMs))).toContain("expired");
    const none = { by: "credential", credential: undefined } as const;
    expect(refusalOf(children.authenticate(none, epochMs))).toContain("forbidden");
  });

  test("with a checked certificate is who that names, if it is a name", () => {
    const children = withChildren();
    const named = (name: string) => children.authenticate({ by: "certificate", name }, epochMs);
    expect(valueOf(named("acme")).site).toBe("acme");
    expect(refusalOf(named("*.acme.example"))).toContain("forbidden");
    expect(refusalOf(named(""))).toContain("forbidden");
  });
});

test("the newest token is the one that was given last, also where the clock was set back since", () => {
  const children = withChildren();
  const [first, second] = [epochMs + 900_000, epochMs].map((addedMs, n) => {
    const of = { name: "acme", id: seedOf(String(n)), addedMs, expiresMs: 0 };
    const record = valueOf(children.prepare(of));
    children.accept(record);
    return record;
  });
  const ended = valueOf(children.revoked("acme", { ...revocation, older: true }));
  expect(ended.map(({ id }) => id)).toEqual([first!.id]);
  expect(Number(second!.addedMs)).toBeGreaterThan(Number(first!.addedMs));
});

test("nothing counts before it is accepted, and a revocation neither", () => {
  const children = withChildren("acme");
  valueOf(children.revoked("acme", revocation));
  expect(children.authenticate(shows("acme"), epochMs).ok).toBe(true);
  valueOf(children.prepare({ name: "corp", id: seedOf("c"), addedMs: epochMs, expiresMs: 0 }));
  expect(children.records.map(({ name }) => name)).toEqual(["acme"]);
});

test("a token that is in use is revoked too where the data that knew of it was lost", () => {
  const children = withChildren();
  const connected = [valueOf(children.authenticate(shows("acme"), epochMs))];
  for (const record of valueOf(children.revoked("acme", { ...revocation, connected })))
    children.accept(record);
  expect(refusalOf(children.authenticate(shows("acme"), epochMs))).toContain("revoked");
  expect(children.authenticate(shows("acme", "second"), epochMs).ok).toBe(true);
});

test("whom nobody knows can not be revoked, nor twice", () => {
  const children = withChildren("acme");
  expect(refusalOf(children.revoked("corp", revocation))).toContain("unknown");
  revoke(children, "acme");
  expect(refusalOf(children.revoked("acme", revocation))).toContain("unknown");
});

test("names are names, and tokens have a bound", () => {
  const of = { id: seedOf("x"), addedMs: epochMs, expiresMs: 0 };
  expect(refusalOf(withChildren().prepare({ name: "a/b", ...of }))).toContain("invalid");
  const record = valueOf(withChildren().prepare({ name: "a", ...of }));
  const many = Array.from({ length: tokensCountMax }, (_, n) => ({
    ...record,
    id: Buffer.from(String(n)),
  }));
  const full = new Children(siteKey.publicKey, many);
  expect(refusalOf(full.prepare({ name: "b", ...of }))).toContain("limit");
  // The way out is one that is there: nothing is forgotten once it is revoked.
  revoke(full, "a");
  expect(full.prepare({ name: "b", ...of })).toMatchObject({
    refusal: { hint: expect.stringContaining("HEADWATER_TLS_CA_FILE") },
  });
});

test("a revocation at another node of the site is heard where there is no room for more tokens", () => {
  const there = withChildren("acme", "corp", "late");
  const room = Array.from({ length: tokensCountMax - 2 }, (_, n) => ({
    ...there.records[0]!,
    name: "many",
    id: Buffer.from(String(n)),
  }));
  const full = new Children(siteKey.publicKey, [...there.records.slice(0, 2), ...room]);
  for (const name of ["corp", "late"]) revoke(there, name);
  give(there, "new", "new");
  for (const record of full.heard(there.shared)) full.accept(record);
  expect(refusalOf(full.authenticate(shows("corp"), epochMs))).toContain("revoked");
  expect(refusalOf(full.authenticate(shows("late"), epochMs))).toContain("revoked");
  expect(full.records.some(({ name }) => name === "new")).toBe(false);
});

function withChildren(...names: string[]): Children {
  const children = new Children(siteKey.publicKey, []);
  for (const name of names) give(children, name, name);
  return children;
}

function give(children: Children, name: string, id: string): void {
  const record = { name, id: seedOf(id), addedMs: epochMs, expiresMs: 0 };
  children.accept(valueOf(children.prepare(record)));
}

function revoke(children: Children, name: string): void {
  for (const record of valueOf(children.revoked(name, revocation))) children.accept(record);
}

function shows(
  child: string,
  id: string = child,
  of: { key?: typeof siteKey; expiresMs?: number } = {},
) {
  const { key = siteKey, expiresMs = 0 } = of;
  const credential = signCredential({ child, id: seedOf(id), expiresMs, siteKey: key });
  return { by: "credential", credential } as const;
}
