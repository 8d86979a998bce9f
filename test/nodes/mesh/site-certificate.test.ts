import { createHash, createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { SiteAuthority, siteServerName } from "../../../nodes/mesh/site-certificate.ts";

const secret = new Uint8Array(32).fill(7);

test("every node that has the secret makes the same certificate, in every release", () => {
  const { certificate } = new SiteAuthority(secret);
  expect(new SiteAuthority(Uint8Array.from(secret)).certificate).toEqual(certificate);
  // Tokens that were given out hold these bytes: when they change, every child has to join again.
  expect(createHash("sha256").update(certificate).digest("hex")).toBe(
    "fa1147a48f5493a4b0cd8ae09c47c76c64526783c230bd5bf221864266735715",
  );
});

test("another secret makes another authority, by name too", () => {
  const [one, other] = [new SiteAuthority(secret), new SiteAuthority(new Uint8Array(32))];
  const [first, second] = [one, other].map((site) => new X509Certificate(site.certificate));
  expect(first?.subject).not.toBe(second?.subject);
  expect(first?.publicKey.equals(second!.publicKey)).toBe(false);
});

test("the authority signs itself, and nothing but leaves", () => {
  const authority = new X509Certificate(new SiteAuthority(secret).certificate);
  expect(authority.ca).toBe(true);
  expect(authority.checkIssued(authority) && authority.verify(authority.publicKey)).toBe(true);
  expect(authority.subject).toMatch(/^CN=Headwater site [0-9a-f]{16}$/);
  expect(authority.validToDate.toISOString()).toBe("9999-12-31T23:59:59.000Z");
});

test("a leaf is issued by its authority, for its hosts, with a key of its own", () => {
  const site = new SiteAuthority(secret);
  const authority = new X509Certificate(site.certificate);
  const hosts = ["node-1.acme.example", "192.0.2.7", "2001:db8::7", "bücher.example"];
  const [one, other] = [site.issue(hosts), site.issue(hosts)];
  const leaf = new X509Certificate(one.certificate);
  expect(leaf.checkIssued(authority) && leaf.verify(authority.publicKey)).toBe(true);
  expect(leaf.ca).toBe(false);
  expect(leaf.checkPrivateKey(createPrivateKey(one.key))).toBe(true);
  expect(leaf.subjectAltName?.split(", ").sort()).toEqual(
    [
      "DNS:localhost",
      "DNS:node-1.acme.example",
      "DNS:xn--bcher-kva.example",
      `DNS:${siteServerName}`,
      "IP Address:127.0.0.1",
      "IP Address:192.0.2.7",
      "IP Address:2001:DB8:0:0:0:0:0:7",
      "IP Address:0:0:0:0:0:0:0:1",
    ].sort(),
  );
  expect(createPublicKey(one.key).equals(createPublicKey(other.key))).toBe(false);
  expect(leaf.serialNumber).not.toBe(new X509Certificate(other.certificate).serialNumber);
});

test("a host is named once", () => {
  const { certificate } = new SiteAuthority(secret).issue(["localhost", "a.example", "a.example"]);
  const names = new X509Certificate(certificate).subjectAltName?.split(", ") ?? [];
  expect(new Set(names).size).toBe(names.length);
});
