import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { serverIdentity } from "../../../nodes/mesh/server-credentials.ts";
import { SiteAuthority } from "../../../nodes/mesh/site-certificate.ts";
import { pemOf, type Tls } from "../../../nodes/mesh/tls.ts";
import { siteSecret } from "./mesh-pair.ts";

const file = (name: string): string =>
  readFileSync(join(import.meta.dirname, "certificates", name), "utf8");
const authorities = file("authority.pem");
const authority = new Uint8Array(new X509Certificate(authorities).raw);
const [certificate, key] = [file("elsewhere.pem"), file("elsewhere.key")];

const pinOf = (tls: Tls): Uint8Array =>
  serverIdentity({ tls, siteSecret, addresses: ["127.0.0.1:7701", ":7701"] }).pin;

test("without files the site's own authority is what children pin", () => {
  const own = new SiteAuthority(siteSecret).certificate;
  expect(pinOf({})).toEqual(own);
  expect(pinOf({ authorities })).toEqual(own);
});

test("a configured certificate is pinned by its root, where that is known", () => {
  expect(pinOf({ identity: { certificate, key }, authorities })).toEqual(authority);
  expect(pinOf({ identity: { certificate: certificate + authorities, key } })).toEqual(authority);
});

test("without a known root, children go by their own", () => {
  const other = pemOf(new SiteAuthority(siteSecret).certificate);
  expect(pinOf({ identity: { certificate, key } })).toHaveLength(0);
  expect(pinOf({ identity: { certificate, key }, authorities: other })).toHaveLength(0);
});

test.each<[string, Tls, string]>([
  [
    "a key of another certificate",
    { identity: { certificate, key: file("acme.key") } },
    "HEADWATER_TLS_KEY_FILE",
  ],
  ["a key that is none", { identity: { certificate, key: "none" } }, "HEADWATER_TLS_KEY_FILE"],
  [
    "a certificate that is none",
    { identity: { certificate: key, key } },
    "HEADWATER_TLS_CERT_FILE",
  ],
  ["an authority that is none", { authorities: "none" }, "HEADWATER_TLS_CA_FILE"],
  [
    "an authority that is damaged",
    { authorities: authorities.replace("MII", "AAA") },
    "HEADWATER_TLS_CA_FILE",
  ],
])("%s is an error that says which file", (_, tls, variable) => {
  expect(() => pinOf(tls)).toThrow(
    expect.objectContaining({ kind: "invalid", hint: expect.stringContaining(variable) }),
  );
});

test.each([
  [
    "of another certificate",
    file("acme.key"),
    /^HEADWATER_TLS_KEY_FILE: the key is that of another/,
  ],
  [
    "that is encrypted",
    String(
      createPrivateKey(key).export({
        type: "pkcs8",
        format: "pem",
        cipher: "aes-256-cbc",
        passphrase: "unknown",
      }),
    ),
    /^HEADWATER_TLS_KEY_FILE: the key is encrypted/,
  ],
])("a key %s is told in words, and not in OpenSSL's", (_, other, words) => {
  expect(() => pinOf({ identity: { certificate, key: other } })).toThrow(words);
});
