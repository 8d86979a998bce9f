import { encodeAccount, encodeOperator, encodeUser, fmtCreds } from "@nats-io/jwt";
import { createAccount, createOperator, createUser } from "@nats-io/nkeys";
import { describe, expect, test } from "vitest";
import { natsAuthenticator } from "../../../nodes/fanout/nats-credentials.ts";
import { localhostCertificate } from "../http/localhost-certificate.ts";
import { eventually } from "./eventually.ts";
import { type NatsRelease, type NatsServer, startedServer } from "./nats-server.ts";
import { connected, connectedPeer, openPeer, saying, words } from "./peer.ts";

const releases: readonly NatsRelease[] = ["packaged", "current"];

describe.for(releases)("how a node logs in to a %s nats-server", { timeout: 60_000 }, (release) => {
  test("with an NKey", async (context) => {
    const [user, stranger] = [createUser(), createUser()];
    const config = `authorization { users: [{ nkey: ${user.getPublicKey()} }] }`;
    const server = await startedServer(context, config, release);
    await expectTalk(server, text(user.getSeed()));
    await expectRefusal(server, text(stranger.getSeed()));
  });

  test("with a credentials file, and a renewed one after a while", async (context) => {
    const account = createAccount();
    const server = await startedServer(context, await operatorConfig(account), release);
    let credentials = await userCredentials(createAccount());
    const a = openPeer(server, "a", { readSecrets: () => ({ credentials }) });
    await eventually(() => expect(a.access.state?.problem).toContain("refuses this node"));
    credentials = await userCredentials(account);
    await connected(a);
    await expectTalk(server, credentials);
  });

  test("over TLS, only where its certificate is vouched for", async (context) => {
    const server = await startedServer(context, "", release);
    await server.stop();
    await server.startWithTls(localhostCertificate);
    const url = server.url().replace("nats:", "tls:");
    const readSecrets = () => ({ authorities: localhostCertificate.cert });
    const a = await connectedPeer(server, "a", { url, readSecrets });
    const b = await connectedPeer(server, "b", { url, readSecrets });
    a.fanout.publish(saying("a", "hello"));
    await eventually(() => expect(words(b)).toEqual(["a hello"]));
    const doubter = openPeer(server, "doubter", { url });
    await eventually(() => expect(doubter.access.state?.problem).toContain("self-signed"));
  });

  test("not without TLS where authorities are named", async (context) => {
    const server = await startedServer(context, "", release);
    const readSecrets = () => ({ authorities: localhostCertificate.cert });
    const a = openPeer(server, "a", { readSecrets });
    await eventually(() => expect(a.access.state?.problem).toContain("has no TLS"));
  });
});

test("what holds no credentials is refused at the start, without being shown", () => {
  for (const secret of ["", "hunter2", "SUAB", "-----BEGIN NATS", text(createAccount().getSeed())])
    expect(() => natsAuthenticator(secret)).toThrow(
      "HEADWATER_NATS_CREDENTIALS_FILE holds neither NATS credentials nor a user's NKey",
    );
  const seed = text(createUser().getSeed());
  expect(natsAuthenticator(`# a comment\n${seed}\n`)).toBeTypeOf("function");
  expect(() => natsAuthenticator(`${seed}\n${seed}`)).toThrow("neither");
});

async function expectTalk(server: NatsServer, credentials: string): Promise<void> {
  const readSecrets = () => ({ credentials });
  const one = await connectedPeer(server, "one", { readSecrets });
  const two = await connectedPeer(server, "two", { readSecrets });
  one.fanout.publish(saying("one", "hello"));
  await eventually(() => expect(words(two)).toEqual(["one hello"]));
}

async function expectRefusal(server: NatsServer, credentials: string): Promise<void> {
  const peer = openPeer(server, "refused", { readSecrets: () => ({ credentials }) });
  await eventually(() => expect(peer.access.state?.problem).toContain("refuses this node"));
  expect(JSON.stringify([peer.access.changes, peer.log])).not.toContain(credentials);
}

const unlimited = { conn: -1, subs: -1, data: -1, payload: -1, leaf: -1 };

/** A server that takes the users of one account. */
async function operatorConfig(account: ReturnType<typeof createAccount>): Promise<string> {
  const operator = createOperator();
  const operatorJwt = await encodeOperator("test", operator, {});
  const accountJwt = await encodeAccount(
    "site",
    account,
    { limits: unlimited },
    { signer: operator },
  );
  return [
    `operator: ${operatorJwt}`,
    "resolver: MEMORY",
    `resolver_preload: { ${account.getPublicKey()}: ${accountJwt} }`,
  ].join("\n");
}

async function userCredentials(account: ReturnType<typeof createAccount>): Promise<string> {
  const user = createUser();
  return text(fmtCreds(await encodeUser("node", user, account, {}), user));
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}

test("credentials may have ends of lines of Windows, or none at their end, but need their seed", async () => {
  const credentials = await userCredentials(createAccount());
  for (const text of [credentials.replaceAll("\n", "\r\n"), credentials.trimEnd()])
    expect(natsAuthenticator(text)("nonce")).toEqual(natsAuthenticator(credentials)("nonce"));
  expect(() => natsAuthenticator(credentials.split("USER NKEY")[0] ?? "")).toThrow("neither");
});
