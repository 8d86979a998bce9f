import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { readOrMakeSecret } from "../../../nodes/store/secret.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

test("makes a secret once, for its owner only, and reads the same again", () => {
  const file = join(temporaryDirectory(), "made", "admin.token");
  const made = readOrMakeSecret({ file, bytes: 32 });
  expect(made.bytes).toHaveLength(32);
  expect(made.problem).toBeUndefined();
  expect(readFileSync(file, "utf8")).toBe(`${made.text}\n`);
  expect(made.text).toMatch(/^[\w-]{43}$/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readOrMakeSecret({ file, bytes: 32 })).toEqual(made);
  // Nothing of the making is left behind.
  expect(readdirSync(dirname(file))).toEqual(["admin.token"]);
});

test("two secrets are not the same", () => {
  const directory = temporaryDirectory();
  const [one, other] = ["one", "other"].map((name) =>
    readOrMakeSecret({ file: join(directory, name), bytes: 32 }),
  );
  expect(one?.text).not.toBe(other?.text);
});

test("takes a secret that was copied by hand, with or without an end of line", () => {
  const file = join(temporaryDirectory(), "site.secret");
  const text = Buffer.alloc(32, 9).toString("base64url");
  for (const content of [text, `${text}\n`, `${text}\r\n`]) {
    writeFileSync(file, content, { mode: 0o600 });
    expect(readOrMakeSecret({ file, bytes: 32 }).bytes).toEqual(new Uint8Array(32).fill(9));
  }
});

test.each([
  ["", "empty"],
  [Buffer.alloc(31).toString("base64url"), "too short"],
  [Buffer.alloc(33).toString("base64url"), "too long"],
  [`!${Buffer.alloc(32).toString("base64url")}`, "with a foreign character"],
  ["correct horse battery staple, which is not base64url", "a sentence"],
])("refuses %j, which is %s, and leaves it as it is", (content) => {
  const file = join(temporaryDirectory(), "site.secret");
  writeFileSync(file, content, { mode: 0o600 });
  expect(() => readOrMakeSecret({ file, bytes: 32 })).toThrow(
    expect.objectContaining({
      kind: "damaged",
      message: `${file} does not hold a secret of 32 bytes in base64url`,
      hint: expect.stringContaining("Restore it"),
    }),
  );
  expect(readFileSync(file, "utf8")).toBe(content);
});

test.skipIf(process.platform === "win32")("says when others can read a secret", () => {
  const file = join(temporaryDirectory(), "site.secret");
  const { text } = readOrMakeSecret({ file, bytes: 32 });
  chmodSync(file, 0o640);
  expect(readOrMakeSecret({ file, bytes: 32 })).toMatchObject({
    text,
    problem: `others can read the secret in ${file}: run chmod 600 on it`,
  });
});

test("a path that can not be used is named, with a way out", () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "file"), "");
  mkdirSync(join(directory, "folder"));
  expect(() => readOrMakeSecret({ file: join(directory, "file", "below"), bytes: 32 })).toThrow(
    expect.objectContaining({ kind: "invalid", hint: expect.stringContaining("another file") }),
  );
  expect(() => readOrMakeSecret({ file: join(directory, "folder"), bytes: 32 })).toThrow(
    expect.objectContaining({
      kind: "invalid",
      message: expect.stringContaining("is a directory"),
    }),
  );
});
