import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { SigningKey } from "../../../../relay/trust/key.ts";
import { beatKeysOf, extendTrust, ledgerKeyOf } from "../../../../relay/trust/trusted.ts";
import { temporaryDirectory } from "../../store/temporary-directory.ts";
import { openFakeAdmin } from "../fake-admin.ts";
import { FakeLedger, ledgerKey, refusal } from "../fake-ledger.ts";
import type { FakeTerminal, Ran } from "../fake-terminal.ts";

let ledger: FakeLedger;
let terminal: FakeTerminal;
let directory: string;

beforeEach(async () => {
  ({ ledger, terminal } = await openFakeAdmin({ ledger: new FakeLedger("horizon", false) }));
  const configHome = temporaryDirectory();
  directory = join(configHome, "headwater");
  terminal.env = { ...terminal.env, XDG_CONFIG_HOME: configHome };
  await terminal.run("init", "horizon");
  await into("horizon.trust", "keys", "export", "horizon");
});

function path(name: string): string {
  return join(directory, name);
}

/** Runs a command whose answer is a file, made anew. */
async function into(name: string, ...args: string[]): Promise<Ran> {
  const ran = await terminal.run(...args);
  if (ran.code !== 0) throw new Error(ran.stderr);
  writeFileSync(path(name), `${ran.stdout}\n`);
  return ran;
}

function rotate(...args: string[]): string[] {
  const signed = ["--trust", path("horizon.trust"), "--root-key", path("horizon.root.key")];
  return ["keys", "rotate", ...signed, ...args];
}

function grant(...args: string[]): string[] {
  const signed = ["--trust", path("horizon.trust"), "--root-key", path("horizon.root.key")];
  return ["keys", "grant", ...signed, ...args];
}

/** What a stranger who pins the authority makes of what the node holds. */
function trusted() {
  const pinned = { authority: ledger.authority, project: "horizon" };
  const outcome = extendTrust(pinned, undefined, ledger.trust!);
  if (!outcome.ok) throw new Error(outcome.refusal.message);
  return outcome.value;
}

interface Shown {
  readonly root: { readonly version: number; readonly threshold: number; readonly keys: string[] };
  readonly grants: { readonly id: string; readonly says: string; readonly expiresMs: number }[];
}

const show = () => terminal.json<Shown>("keys", "show", "horizon");

/** The lines of a file that only its owner may see. */
function secretsIn(name: string): string[] {
  return readFileSync(path(name), "utf8").match(/[\w-]{43}(?![\w-])/g) ?? [];
}

describe("keys show", () => {
  it("shows authority, root and grants", async () => {
    const { stdout } = await terminal.run("keys", "fingerprint", "horizon");
    expect(stdout).toMatch(
      /^horizon\nauthority {2}sha256:[0-9a-f]{64}\nroot +1, signed by 1 of 1\n/,
    );
    expect(stdout).toMatch(/[0-9a-f]{8} +writes term 1 with ed25519:[\w-]{43} +never/);
    expect(stdout).toMatch(/[0-9a-f]{8} +beats with ed25519:/);
    expect((await show()).root).toMatchObject({ version: 1, threshold: 1 });
  });
});

describe("keys rotate and import", () => {
  it("replaces the root key without a node, and keeps the new one for its owner", async () => {
    terminal.env = {};
    const { stderr } = await into("new.trust", ...rotate("--generate", path("new.key")));
    expect(stderr).toContain("root 2 of horizon, 2 grants, all signed");
    expect(statSync(path("new.key")).mode & 0o777).toBe(0o600);
    for (const secret of [
      ...secretsIn("new.key").slice(-1),
      ...secretsIn("horizon.root.key").slice(-1),
    ])
      expect(readFileSync(path("new.trust"), "utf8") + stderr).not.toContain(secret);
  });

  it("hands the bundle to the node", async () => {
    await into("new.trust", ...rotate("--generate", path("new.key")));
    const { stdout } = await terminal.run("keys", "import", "horizon", path("new.trust"));
    expect(stdout).toBe("horizon is at root 2, with 2 grants");
    expect(ledgerKeyOf(trusted(), { term: 1, wallMs: 0 })).toEqual(ledgerKey.publicKey);
  });

  it("asks before a grant ends, and says which", async () => {
    const id = (await show()).grants[0]!.id;
    const recovery = path("horizon.term-2.grant");
    await into("new.trust", ...rotate("--without", id, "--recovery", recovery));
    const asked = await terminal.run("keys", "import", "horizon", path("new.trust"));
    expect(asked.code).toBe(2);
    expect(asked.stderr).toMatch(/- writes term 1 [^]*hint: Give --yes/);
    terminal.isInteractive = true;
    expect(await terminal.run("keys", "import", "horizon", path("new.trust"))).toMatchObject({
      code: 1,
    });
    expect(terminal.questions).toEqual(["root 1 -> 2 ends 1 grant. Go on?"]);
    expect(trusted().root.version).toBe(1);
    terminal.consent = true;
    expect(await terminal.run("keys", "import", "horizon", path("new.trust"))).toMatchObject({
      code: 0,
    });
    expect(ledgerKeyOf(trusted(), { term: 1, wallMs: 0 })).toBeUndefined();
    expect(ledgerKeyOf(trusted(), { term: 2, wallMs: 0 })).toBeDefined();
  });

  it("is signed on several machines", async () => {
    const { stdout: second } = await terminal.run("keys", "generate", path("second.key"));
    const keys = ["--new-key", path("horizon.root.key"), second, "--threshold", "2"];
    const begun = await into("half.trust", ...rotate(...keys));
    expect(begun.stderr).toMatch(/not signed by all[^]*root 2: 1 more of the keys of root 2/);
    const early = await terminal.run("keys", "import", "horizon", path("half.trust"));
    expect(early).toMatchObject({ code: 2 });
    expect(early.stderr).toMatch(/half\.trust: not signed by all[^]*hint: `headwater keys sign`/);
    const sign = ["keys", "sign", "--trust", path("half.trust"), "--root-key"];
    await into("whole.trust", ...sign, path("second.key"));
    await terminal.run("keys", "import", "horizon", path("whole.trust"));
    expect(trusted().root).toMatchObject({ version: 2, threshold: 2 });
  });

  it("passes on what the node refuses", async () => {
    await into("new.trust", ...rotate());
    ledger.failures.set("updateTrust", refusal("invalid", "grants: none", "sign again"));
    const { code, stderr } = await terminal.run("keys", "import", "horizon", path("new.trust"));
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: "error: grants: none\n  hint: sign again.",
    });
  });
});

describe("keys grant", () => {
  const overlay = `sha256:${"ab".repeat(32)}`;

  it("lets an overlay pin and alias, for a while", async () => {
    const args = ["--overlay", overlay, "--flags", "a,b", "--pin-max", "20%", "--aliases"];
    await into("new.trust", ...grant(...args, "--expires", "90d"));
    await terminal.run("keys", "import", "horizon", path("new.trust"));
    const { grants } = await show();
    expect(grants.at(-1)).toMatchObject({
      says: `overlay ${overlay}: pins a, b up to 20 %, names aliases`,
      expiresMs: terminal.wallMs() + 90 * 86_400_000,
    });
  });

  it("makes the keys of a later term, which promote takes", async () => {
    const file = path("horizon.term-4.grant");
    await into("new.trust", ...grant("--recovery", file, "--term", "4", "--follows", "1"));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await terminal.run("keys", "import", "horizon", path("new.trust"));
    const { code, stdout } = await terminal.run("promote", "horizon", "--grant", file);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: "horizon is written here now: 1.1 -> 4.1",
    });
    const [{ ledgerSeed, beatSeed, grants, force } = {}] = ledger.promotions;
    expect(force).toBe(false);
    expect(grants).toHaveLength(2);
    const at = { term: 4, wallMs: 0 };
    expect(ledgerKeyOf(trusted(), at)).toEqual(new SigningKey(ledgerSeed!).publicKey);
    expect(beatKeysOf(trusted(), 0)).toContainEqual(new SigningKey(beatSeed!).publicKey);
  });

  it("takes keys that were made elsewhere", async () => {
    const key = `ed25519:${Buffer.from(ledgerKey.publicKey).toString("base64url")}`;
    await into("horizon.trust", ...grant("--ledger-key", key, "--term", "2"));
    await into("new.trust", ...grant("--beat-key", key));
    await terminal.run("keys", "import", "horizon", path("new.trust"));
    expect(ledgerKeyOf(trusted(), { term: 2, wallMs: 0 })).toEqual(ledgerKey.publicKey);
    expect(beatKeysOf(trusted(), 0)).toHaveLength(2);
  });

  it.each<[string, string[], RegExp]>([
    ["nothing", [], /nothing to grant\n {2}hint: Give one of --overlay/],
    ["two things", ["--overlay", overlay, "--beat-key", "x"], /more than one thing/],
    ["a ledger key without a term", ["--ledger-key", "x"], /--term is missing/],
    ["an overlay that may do nothing", ["--overlay", overlay], /allows nothing yet/],
    ["no fingerprint", ["--overlay", "acme"], /--overlay: "acme" is no fingerprint/],
    ["no public key", ["--beat-key", "ed25519:x"], /--beat-key: "ed25519:x" is no public key/],
    ["no percentage", ["--overlay", overlay, "--pin-max", "200%"], /--pin-max: .*200%/],
    ["no flag", ["--overlay", overlay, "--flags", "a b", "--aliases"], /--flags: "a b" is no name/],
    [
      "a term that follows a later one",
      ["--recovery", "x", "--term", "3", "--follows", "3"],
      /--follows 3 is no term before 3/,
    ],
  ])("refuses %s", async (_, args, why) => {
    const { code, stdout, stderr } = await terminal.run(...grant(...args));
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(why);
  });
});

describe("files that are wrong", () => {
  it.each<[string, string, string[], RegExp]>([
    ["root.key", "", rotateWith("root.key"), /root\.key: not a key file\n {2}hint: /],
    ["root.key", "x".repeat(44), rotateWith("root.key"), /root\.key: not a key file/],
    ["b.trust", "# nothing\n", ["keys", "import", "horizon", "b.trust"], /not a trust bundle/],
    ["b.trust", "AAAA", ["keys", "import", "horizon", "b.trust"], /b\.trust: /],
    ["a.grant", "term = ", ["promote", "horizon", "--grant", "a.grant"], /it is not TOML/],
    [
      "a.grant",
      'project = "horizon"\nterm = 0\nledger-seed = "s3cret"\n',
      ["promote", "horizon", "--grant", "a.grant"],
      /a\.grant: .*missing: authority, term, ledger-seed, beat-seed\n {2}hint: /,
    ],
  ])(
    "%s with %j: the error names file and field, and shows no secret",
    async (name, text, args, why) => {
      writeFileSync(path(name), text, { mode: 0o600 });
      const there = args.map((arg) => (/\.(key|trust|grant)$/.test(arg) ? path(arg) : arg));
      const { code, stdout, stderr } = await terminal.run(...there);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(why);
      expect(stderr).not.toMatch(/s3cret|x{44}/);
    },
  );

  it("that are not there, that others may read, or that are in the way", async () => {
    const absent = await terminal.run("promote", "horizon", "--grant", path("none.grant"));
    expect(absent.stderr).toMatch(/none\.grant: cannot be read\n {2}hint: /);
    chmodSync(path("horizon.root.key"), 0o644);
    const open = await terminal.run(...rotate());
    expect(open.stderr).toMatch(
      /others than its owner may read this secret\n {2}hint: Run `chmod 600/,
    );
    chmodSync(path("horizon.root.key"), 0o600);
    const before = readFileSync(path("horizon.root.key"), "utf8");
    const blocked = await terminal.run(...rotate("--generate", path("horizon.root.key")));
    expect(blocked).toMatchObject({ code: 3, stdout: "" });
    expect(blocked.stderr).toMatch(/is there already, and is not replaced/);
    expect(readFileSync(path("horizon.root.key"), "utf8")).toBe(before);
  });

  it("that are another authority's", async () => {
    const other = await openFakeAdmin({ ledger: new FakeLedger("horizon", false) });
    const configHome = temporaryDirectory();
    other.terminal.env = { ...other.terminal.env, XDG_CONFIG_HOME: configHome };
    await other.terminal.run("init", "horizon");
    const { stdout } = await other.terminal.run("keys", "export", "horizon");
    writeFileSync(path("other.trust"), stdout);
    const imported = await terminal.run("keys", "import", "horizon", path("other.trust"));
    expect(imported).toMatchObject({ code: 3 });
    expect(imported.stderr).toMatch(/of authority sha256:[0-9a-f]{64}, this node holds sha256:/);
    const renamed = await terminal.run("keys", "import", "nova", path("other.trust"));
    expect(renamed.stderr).toMatch(/of project horizon, not nova/);
    const recovery = join(configHome, "headwater/horizon.term-2.grant");
    const promoted = await terminal.run("promote", "horizon", "--grant", recovery);
    expect(promoted.stderr).toMatch(/term-2\.grant: it is of authority sha256:/);
    const misnamed = await terminal.run("promote", "nova", "--grant", recovery);
    expect(misnamed.stderr).toMatch(/of project horizon, not nova/);
    const absent = await terminal.run("keys", "show", "horizon", "--overlay", "sha256:1");
    expect(absent.stderr).toMatch(/--overlay: "sha256:1" is no fingerprint/);
    expect(ledger.promotions).toEqual([]);
    const stranger = await terminal.run(...rotate("--new-key", join(configHome, "none")));
    expect(stranger.stderr).toMatch(/none: cannot be read/);
    const key = join(configHome, "headwater/horizon.root.key");
    const sign = ["keys", "sign", "--trust", path("horizon.trust"), "--root-key", key];
    expect((await terminal.run(...sign)).stderr).toMatch(/it is no key of root 1/);
  });

  it("are not sent in the clear", async () => {
    terminal.env = { ...terminal.env, HEADWATER_ADMIN_URL: "http://flags.example.org:7702" };
    const file = path("horizon.term-2.grant");
    const { code, stderr } = await terminal.run("promote", "horizon", "--grant", file);
    expect(code).toBe(2);
    expect(stderr).toMatch(/not sent to http:\/\/flags\.example\.org:7702 in the clear/);
  });
});

function rotateWith(key: string): string[] {
  return ["keys", "rotate", "--trust", "horizon.trust", "--root-key", key];
}
