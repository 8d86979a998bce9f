import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create, fromBinary } from "@bufbuild/protobuf";
import { parse } from "smol-toml";
import { beforeEach, describe, expect, it } from "vitest";
import {
  type Envelope,
  EnvelopeSchema,
  type Trust,
  TrustSchema,
} from "../../../gen/headwater/v1/ledger_pb.ts";
import { formatFingerprint } from "../../../nodes/config/fingerprint.ts";
import { SigningKey } from "../../../relay/trust/key.ts";
import {
  beatKeysOf,
  extendTrust,
  ledgerKeyOf,
  type Trusted,
} from "../../../relay/trust/trusted.ts";
import { temporaryDirectory } from "../store/temporary-directory.ts";
import { openFakeAdmin } from "./fake-admin.ts";
import { beatKey, FakeLedger, ledgerKey, lost, refusal } from "./fake-ledger.ts";
import type { FakeTerminal } from "./fake-terminal.ts";

let ledger: FakeLedger;
let terminal: FakeTerminal;
let directory: string;

beforeEach(async () => {
  ({ ledger, terminal } = await openFakeAdmin({ ledger: new FakeLedger("horizon", false) }));
  const configHome = temporaryDirectory();
  directory = join(configHome, "headwater");
  terminal.env = { ...terminal.env, XDG_CONFIG_HOME: configHome };
});

function text(name: string): string {
  return readFileSync(join(directory, name), "utf8");
}

/** What a stranger who pins the authority makes of these documents. */
function trustedOf(trust: Trust): Trusted {
  const pinned = { authority: ledger.authority, project: "horizon" };
  const trusted = extendTrust(pinned, undefined, trust);
  if (!trusted.ok) throw new Error(trusted.refusal.message);
  return trusted.value;
}

const wallMs = 1_000;

describe("init", () => {
  it("makes an authority that a stranger believes, and prints it", async () => {
    const { code, stdout, stderr } = await terminal.run("init", "horizon");
    expect(code).toBe(0);
    const fingerprint = formatFingerprint(ledger.authority);
    expect(stdout).toContain(`horizon is ready\nauthority  ${fingerprint}\nposition   1.1\n`);
    expect(stderr).toContain("off this machine");
    expect(stderr).toContain(`Sites pin it as: horizon = "${fingerprint}"`);
    const trusted = trustedOf(ledger.trust ?? create(TrustSchema));
    expect(trusted.root).toMatchObject({ version: 1, threshold: 1 });
    expect(ledgerKeyOf(trusted, { term: 1, wallMs })).toEqual(ledgerKey.publicKey);
    expect(beatKeysOf(trusted, wallMs)).toEqual([beatKey.publicKey]);
  });

  it("keeps the root key for its owner alone", async () => {
    await terminal.run("init", "horizon");
    const lines = text("horizon.root.key").trim().split("\n");
    expect(lines[0]).toContain(formatFingerprint(ledger.authority));
    expect(lines.slice(0, -1).every((line) => line.startsWith("# "))).toBe(true);
    const root = new SigningKey(Buffer.from(lines.at(-1) ?? "", "base64url"));
    expect(trustedOf(ledger.trust ?? create(TrustSchema)).root.keys).toEqual([root.publicKey]);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(directory))
      expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
  });

  it.each([2, 3])("keeps keys for term %i, granted already", async (term) => {
    await terminal.run("init", "horizon");
    const file = parse(text(`horizon.term-${term}.grant`)) as Record<string, string>;
    expect(file).toMatchObject({
      project: "horizon",
      authority: formatFingerprint(ledger.authority),
      term,
    });
    const bytes = (name: string): Uint8Array =>
      new Uint8Array(Buffer.from(file[name] ?? "", "base64url"));
    const envelope = (name: string): Envelope => fromBinary(EnvelopeSchema, bytes(name));
    const trusted = trustedOf(
      create(TrustSchema, {
        roots: ledger.trust?.roots ?? [],
        grants: [envelope("ledger-grant"), envelope("beat-grant")],
      }),
    );
    const publicKey = (name: string): Uint8Array => new SigningKey(bytes(name)).publicKey;
    expect(ledgerKeyOf(trusted, { term, wallMs })).toEqual(publicKey("ledger-seed"));
    expect(beatKeysOf(trusted, wallMs)).toEqual([publicKey("beat-seed")]);
    expect(ledgerKeyOf(trusted, { term: 1, wallMs })).toBeUndefined();
  });

  it("answers machines", async () => {
    expect(await terminal.json("init", "horizon")).toEqual({
      project: "horizon",
      overlay: false,
      authority: formatFingerprint(ledger.authority),
      position: expect.objectContaining({ term: 1, seq: 1 }),
      paths: ["root.key", "term-2.grant", "term-3.grant"].map((ending) =>
        join(directory, `horizon.${ending}`),
      ),
    });
  });
});

describe("init leaves things as they were", () => {
  it.each(["horizon.root.key", "horizon.term-3.grant"])("when %s is there", async (name) => {
    mkdirSync(directory);
    writeFileSync(join(directory, name), "mine");
    const { code, stderr } = await terminal.run("init", "horizon");
    expect(code).toBe(3);
    expect(stderr).toContain(`error: ${join(directory, name)} is there already`);
    expect(readdirSync(directory)).toEqual([name]);
    expect(text(name)).toBe("mine");
    expect(ledger.exists).toBe(false);
  });

  it("when the node holds the project", async () => {
    ledger.exists = true;
    const { code, stderr } = await terminal.run("init", "horizon");
    expect({ code, stderr }).toEqual({ code: 3, stderr: "error: horizon is held here already" });
    expect(() => readdirSync(directory)).toThrow("ENOENT");
  });

  it("when the node refuses what was signed, so that a second try works", async () => {
    ledger.failures.set("createLedger", refusal("unavailable", "the disk is full", "make room"));
    expect(await terminal.run("init", "horizon")).toEqual({
      code: 3,
      stdout: "",
      stderr: "error: the disk is full\n  hint: make room.",
    });
    expect(readdirSync(directory)).toEqual([]);
    expect(await terminal.run("init", "horizon")).toMatchObject({ code: 0 });
  });

  it("when secrets can not be written", async () => {
    writeFileSync(directory, "a file where the folder should be");
    const { code, stderr } = await terminal.run("init", "horizon");
    expect(code).toBe(3);
    expect(stderr).toContain("hint: Set XDG_CONFIG_HOME");
    expect(ledger.exists).toBe(false);
  });
});

describe("init keeps the key of a ledger that there is", () => {
  it("when the answer was lost", async () => {
    ledger.failures.set("createdLedger", lost());
    const { code, stdout } = await terminal.run("init", "horizon");
    expect(code).toBe(0);
    expect(stdout).toContain(formatFingerprint(ledger.authority));
    expect(readdirSync(directory)).toContain("horizon.root.key");
  });

  it("when that can not be known, where it blocks nothing", async () => {
    ledger.failures.set("createdLedger", lost());
    ledger.failures.set("getLedger", lost());
    const { code, stderr } = await terminal.run("init", "horizon");
    expect(code).toBe(3);
    expect(stderr).toContain("it is not known whether horizon was created");
    expect(stderr.match(/cannot reach the node/g)).toHaveLength(1);
    expect(stderr).toContain(`shows authority ${formatFingerprint(ledger.authority)}`);
    const names = readdirSync(directory);
    expect(names).toHaveLength(3);
    for (const name of names) {
      expect(name).toMatch(/\.unconfirmed-[0-9a-f]{12}$/);
      expect(stderr).toContain(join(directory, name));
    }
    ledger.exists = false;
    expect(await terminal.run("init", "horizon")).toMatchObject({ code: 0 });
  });
});

it("names the root key of a ledger whose init was ended in the middle", async () => {
  ledger.failures.set("createdLedger", lost());
  ledger.failures.set("getLedger", lost());
  await terminal.run("init", "horizon");
  const { code, stderr } = await terminal.run("init", "horizon");
  expect(code).toBe(3);
  expect(stderr).toContain("horizon is held here already; an earlier init was cut off");
  const fingerprint = formatFingerprint(ledger.authority).slice(0, "sha256:".length + 12);
  expect(stderr).toContain(
    `begins with ${fingerprint}, ${directory}/horizon.root.key.unconfirmed-`,
  );
});

describe("init --overlay", () => {
  it("keeps its secrets beside those of the project, by names of their own", async () => {
    await terminal.run("init", "horizon");
    ledger.exists = false;
    const { code, stdout, stderr } = await terminal.run("init", "horizon", "--overlay");
    expect(code).toBe(0);
    expect(stdout).toContain("the overlay of horizon is ready\n");
    expect(stderr).toContain("sites that have joined join again");
    expect(text("horizon.overlay.root.key")).toContain("the root key of an overlay of horizon");
    const endings = ["root.key", "term-2.grant", "term-3.grant"];
    expect(readdirSync(directory).sort()).toEqual(
      [
        ...endings.map((one) => `horizon.${one}`),
        ...endings.map((one) => `horizon.overlay.${one}`),
      ].sort(),
    );
    expect((await terminal.run("init", "horizon", "--overlay")).stderr).toContain(
      "is there already",
    );
  });
});
