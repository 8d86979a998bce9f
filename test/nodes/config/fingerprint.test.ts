import { describe, expect, it } from "vitest";
import { formatFingerprint, parseFingerprint } from "../../../nodes/config/fingerprint.ts";

const hash = new Uint8Array(32).map((_, at) => at * 7);

describe("a fingerprint", () => {
  it("is read back as the hash it was", () => {
    expect(parseFingerprint(formatFingerprint(hash))).toEqual(hash);
    const upper = Buffer.from(hash).toString("hex").toUpperCase();
    expect(parseFingerprint(`sha256:${upper}`)).toEqual(hash);
  });

  it.each(["", "sha256:", "sha256:00", `sha512:${"0".repeat(64)}`, `sha256:${"g".repeat(64)}`])(
    "is not %j",
    (text) => {
      expect(parseFingerprint(text)).toMatchObject({
        problem: expect.stringContaining(": write "),
      });
    },
  );

  it("asks for its prefix", () => {
    const hex = "ab".repeat(32);
    expect(parseFingerprint(hex)).toEqual({
      problem: `"${hex}" is no fingerprint: write "sha256:${hex}"`,
    });
  });
});
