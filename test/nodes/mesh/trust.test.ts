import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SiteAuthority } from "../../../nodes/mesh/site-certificate.ts";
import { pemOf, type Tls } from "../../../nodes/mesh/tls.ts";
import { dialTo, openChild, openParent, siteSecret } from "./mesh-pair.ts";

const warnings: Error[] = [];
process.on("warning", (warning) => warnings.push(warning));

const otherSite = new SiteAuthority(new Uint8Array(32).fill(8));

/** Made with openssl for these tests: an authority, and certificates that it has signed. */
const file = (name: string): string =>
  readFileSync(join(import.meta.dirname, "certificates", name), "utf8");
const authorities = file("authority.pem");
const acme = { certificate: file("acme.pem"), key: file("acme.key") };
const elsewhere = { certificate: file("elsewhere.pem"), key: file("elsewhere.key") };

async function whyRefused(of: {
  parentTls?: Tls;
  childTls?: Tls;
  certificate?: Uint8Array | undefined;
}): Promise<string> {
  const parent = await openParent({ tls: of.parentTls ?? {} });
  const child = openChild(of.childTls);
  const changes = "certificate" in of ? { certificate: of.certificate } : {};
  child.client.dial(dialTo(parent, changes));
  const { why } = await child.node.nth("upstream-closed");
  expect(parent.node.happenings).toEqual([]);
  return why.replace(parent.server.address, "PARENT");
}

test("a parent of another site than the one pinned is refused", async () => {
  expect(await whyRefused({ certificate: otherSite.certificate })).toBe(
    "the certificate of PARENT is not one of the site that was joined; ask for a new token if that site began anew",
  );
});

test("a parent that was not pinned is believed by no default", async () => {
  const why =
    "the certificate of PARENT is of no authority known here; join with a token, or set HEADWATER_TLS_CA_FILE";
  expect(await whyRefused({ certificate: undefined })).toBe(why);
  expect(await whyRefused({ certificate: new Uint8Array() })).toBe(why);
  expect(await whyRefused({ certificate: undefined, childTls: { authorities } })).toBe(why);
});

test("configured authorities do not widen a pin", async () => {
  const parentTls = { identity: elsewhere };
  const childTls = { authorities };
  const { certificate } = new SiteAuthority(siteSecret);
  expect(await whyRefused({ parentTls, childTls, certificate })).toContain(
    "is not one of the site",
  );
});

test("a certificate for another host is refused, pinned or not", async () => {
  const parentTls = { identity: elsewhere, authorities };
  const why = "the certificate of PARENT is for another host";
  expect(await whyRefused({ parentTls })).toBe(why);
  expect(await whyRefused({ parentTls, childTls: { authorities }, certificate: undefined })).toBe(
    why,
  );
});

test("a pin that is no certificate is an answer too", async () => {
  expect(await whyRefused({ certificate: Uint8Array.of(1, 2, 3) })).toBe(
    "can not dial PARENT: the certificate of its token can not be read",
  );
});

// The last leads to this machine too, and no certificate names it.
test.each(["127.0.0.1", "localhost", "0.0.0.0"])(
  "the pin vouches for a parent under whatever address, as %s",
  async (host) => {
    const parent = await openParent();
    const child = openChild();
    const address = parent.server.address.replace("127.0.0.1", host);
    child.client.dial(dialTo(parent, { address }));
    await parent.node.nth("child-opened");
    expect(child.node.happenings).toEqual([]);
    expect(warnings).toEqual([]);
  },
);

test("each node of the site is believed, whichever was pinned", async () => {
  const [one, other] = [await openParent(), await openParent()];
  expect(one.identity.pin).toEqual(other.identity.pin);
  const child = openChild();
  child.client.dial(dialTo(one, { certificate: other.identity.pin }));
  await one.node.nth("child-opened");
  expect(child.node.happenings).toEqual([]);
});

test("a configured authority does instead of a pin", async () => {
  const leaf = otherSite.issue(["127.0.0.1"]);
  const identity = { certificate: pemOf(leaf.certificate), key: leaf.key };
  const parent = await openParent({ tls: { identity } });
  expect(parent.identity.pin).toEqual(new Uint8Array());
  const child = openChild({ authorities: pemOf(otherSite.certificate) });
  child.client.dial(dialTo(parent));
  await parent.node.nth("child-opened");
});

test("a client certificate that was checked names the child", async () => {
  const parent = await openParent({ tls: { authorities } });
  const child = openChild({ identity: acme });
  child.client.dial(dialTo(parent));
  const { peer } = await parent.node.nth("child-opened");
  expect(peer).toEqual({ by: "certificate", name: "acme", issuedMs: expect.any(Number) });
});

test.each<[string, { parentTls: Tls; childTls: Tls }]>([
  [
    "of an unknown authority",
    { parentTls: { authorities: pemOf(otherSite.certificate) }, childTls: { identity: acme } },
  ],
  ["that nobody asked for", { parentTls: {}, childTls: { identity: acme } }],
  ["for servers", { parentTls: { authorities }, childTls: { identity: elsewhere } }],
  ["that is not there", { parentTls: { authorities }, childTls: {} }],
])(
  "a client certificate %s names nobody, and a token still may",
  async (_, { parentTls, childTls }) => {
    const parent = await openParent({ tls: parentTls });
    const child = openChild(childTls);
    const pin = new SiteAuthority(siteSecret).certificate;
    child.client.dial(dialTo(parent, { certificate: pin, credential: Uint8Array.of(10, 1, 120) }));
    const { peer } = await parent.node.nth("child-opened");
    expect(peer).toMatchObject({ by: "credential", credential: { payloadType: "x" } });

    child.client.dial(dialTo(parent, { certificate: pin }));
    const anonymous = await parent.node.nth("child-opened", 2);
    expect(anonymous.peer).toEqual({ by: "credential", credential: undefined });
  },
);
