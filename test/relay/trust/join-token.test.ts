import { create, toJson } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type JoinToken, JoinTokenSchema } from "../../../gen/headwater/v1/mesh_pb.ts";
import { isName } from "../../../relay/flag/name.ts";
import { addressesCountMax, layersCountMax, projectsCountMax } from "../../../relay/limits.ts";
import { payloadType, seal } from "../../../relay/trust/envelope.ts";
import {
  formatToken,
  openCredential,
  parseToken,
  pinProblem,
  signCredential,
} from "../../../relay/trust/join-token.ts";
import { epochMs, keyOf, refusalOf, seedOf, valueOf } from "../authority.ts";

const siteKey = keyOf("site");
const credential = signCredential({
  child: "acme",
  id: seedOf("id").subarray(0, 16),
  expiresMs: epochMs + 1000,
  siteKey,
});

const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,12}$/);
const authority = fc.uint8Array({ minLength: 32, maxLength: 32 });
const anyToken = fc
  .record({
    addresses: fc.array(fc.string({ minLength: 1, maxLength: 12 }), {
      minLength: 1,
      maxLength: addressesCountMax,
    }),
    certificate: fc.uint8Array({ maxLength: 40 }),
    site: name,
    pins: fc.uniqueArray(
      fc.record({ project: name, authority, overlays: fc.constant<Uint8Array[]>([]) }),
      { selector: ({ project }) => project, maxLength: 3 },
    ),
  })
  .map((token) => create(JoinTokenSchema, { ...token, credential }));

const whole = create(JoinTokenSchema, {
  addresses: ["parent.example:7000"],
  certificate: Buffer.from("certificate"),
  site: "openstack",
  pins: [{ project: "horizon", authority: seedOf("a"), overlays: [seedOf("b")] }],
  credential,
});

describe("the text of a token", () => {
  test("is one word that says all of it", () => {
    fc.assert(
      fc.property(anyToken, (token) => {
        const text = formatToken(token);
        expect(text).toMatch(/^hw1\.[\w-]+$/);
        const parsed = valueOf(parseToken(`  ${text}\n`));
        expect(toJson(JoinTokenSchema, parsed)).toEqual(toJson(JoinTokenSchema, token));
      }),
    );
  });

  test("that is cut off anywhere is refused, and says what to do", () => {
    const text = formatToken(whole);
    for (let length = 0; length < text.length; length++) {
      const outcome = parseToken(text.slice(0, length));
      expect(outcome).toMatchObject({
        ok: false,
        refusal: { kind: "invalid", hint: expect.stringContaining("headwater child add") },
      });
    }
  });

  test.each([
    ["no prefix", (text: string) => text.slice(4)],
    ["another prefix", (text: string) => text.replace("hw1.", "hw2.")],
    ["a line break within", (text: string) => `${text.slice(0, 30)}\n${text.slice(30)}`],
    ["plain base64", (text: string) => `${text.slice(0, 30)}+/${text.slice(30)}`],
    ["quotes around it", (text: string) => `"${text}"`],
    ["too much of it", (text: string) => text + "A".repeat(512 * 1024)],
  ])("with %s is refused", (_, damage) => {
    expect(parseToken(damage(formatToken(whole))).ok).toBe(false);
  });

  test("with altered characters is refused, or is of good form still: nothing is thrown", () => {
    const text = formatToken(whole);
    const character = fc.constantFrom(
      ...Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcxyz0123456789-_.+\n"),
    );
    const alterations = fc.array(fc.tuple(fc.nat(text.length - 1), character), { minLength: 1 });
    fc.assert(
      fc.property(alterations, (altered) => {
        const characters = Array.from(text);
        for (const [at, one] of altered) characters[at] = one;
        const outcome = parseToken(characters.join(""));
        if (!outcome.ok) return;
        expect(isName(outcome.value.site)).toBe(true);
        expect(outcome.value.credential).toBeDefined();
        expect(outcome.value.pins.map(pinProblem)).not.toContainEqual(expect.any(String));
      }),
      { numRuns: 1000 },
    );
  });
});

test.each<[string, (token: JoinToken) => void]>([
  ["no site", (token) => void (token.site = "")],
  ["a site that is no name", (token) => void (token.site = "a/b")],
  ["no address", (token) => void (token.addresses = [])],
  ["too many addresses", (t) => void (t.addresses = Array(addressesCountMax + 1).fill("a:1"))],
  ["no credential", (token) => void (token.credential = undefined)],
  ["a project that is no name", (token) => void (token.pins[0]!.project = "a b")],
  ["a short authority", (t) => void (t.pins[0]!.authority = new Uint8Array(31))],
  ["a long overlay", (token) => void (token.pins[0]!.overlays = [new Uint8Array(33)])],
  ["an overlay twice", (t) => void (t.pins[0]!.overlays = [seedOf("b"), seedOf("b")])],
  ["the authority as an overlay", (t) => void (t.pins[0]!.overlays = [t.pins[0]!.authority])],
  [
    "too many layers",
    (t) =>
      void (t.pins[0]!.overlays = Array.from({ length: layersCountMax }, (_, n) => seedOf(`${n}`))),
  ],
  ["too many projects", (t) => void (t.pins = Array(projectsCountMax + 1).fill(t.pins[0]))],
])("a token with %s is refused", (_, by) => {
  const token = create(JoinTokenSchema, {
    ...whole,
    pins: whole.pins.map((pin) => ({ ...pin })),
    addresses: [...whole.addresses],
  });
  expect(parseToken(formatToken(token)).ok).toBe(true);
  by(token);
  expect(refusalOf(parseToken(formatToken(token)))).toContain("invalid: token: ");
});

test("as many layers as there may be are no problem", () => {
  const overlays = Array.from({ length: layersCountMax - 1 }, (_, n) => seedOf(`${n}`));
  expect(pinProblem({ ...whole.pins[0]!, overlays })).toBeUndefined();
});

describe("a credential", () => {
  const open = (envelope = credential, wallMs = epochMs) =>
    openCredential(envelope, siteKey.publicKey, wallMs);

  test("names the child that it was given to, until it ends", () => {
    expect(valueOf(open()).child).toBe("acme");
    expect(open(credential, epochMs + 999).ok).toBe(true);
    expect(refusalOf(open(credential, epochMs + 1000))).toContain("expired");
  });

  test("without an end has none", () => {
    const id = new Uint8Array(16);
    const forever = signCredential({ child: "acme", id, expiresMs: 0, siteKey });
    expect(open(forever, epochMs * 10).ok).toBe(true);
  });

  test("is the site's own and of its type", () => {
    const id = new Uint8Array(16);
    const other = signCredential({ child: "acme", id, expiresMs: 0, siteKey: keyOf("other") });
    const { payload } = credential;
    for (const wrong of [
      other,
      { ...credential, payload: Buffer.concat([payload, Buffer.from([0x0a, 0])]) },
      seal({ type: payloadType.sitePins, payload, keys: [siteKey] }),
      seal({ type: payloadType.credential, payload: Buffer.from([0xff]), keys: [siteKey] }),
    ])
      expect(refusalOf(open(wrong))).toContain("not one that this site has given out");
    expect(openCredential(undefined, siteKey.publicKey, epochMs).ok).toBe(false);
  });
});
