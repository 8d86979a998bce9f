import { describe, expect, test } from "vitest";
import {
  bytesEqual,
  deriveSecret,
  fromHex,
  isSignedBy,
  SigningKey,
  sha256,
  toHex,
} from "../../../relay/trust/key.ts";

describe("Ed25519", () => {
  // RFC 8032, 7.1, tests 1 and 3.
  test.each([
    [
      "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
      "",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
      "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
      "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
      "af82",
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
  ])("signs as published (seed %s)", (seed, publicKey, message, signature) => {
    const key = new SigningKey(fromHex(seed));
    expect(toHex(key.publicKey)).toBe(publicKey);
    expect(toHex(key.sign(fromHex(message)))).toBe(signature);
    const of = { publicKey: key.publicKey, message: fromHex(message) };
    expect(isSignedBy({ ...of, signature: fromHex(signature) })).toBe(true);
  });

  test("what is no key or no signature has signed nothing, and throws nothing", () => {
    const key = new SigningKey(sha256());
    const message = Buffer.from("m");
    const signature = key.sign(message);
    const { publicKey } = key;
    expect(isSignedBy({ publicKey, message, signature: signature.subarray(1) })).toBe(false);
    expect(isSignedBy({ publicKey: publicKey.subarray(1), message, signature })).toBe(false);
    expect(isSignedBy({ publicKey: new Uint8Array(0), message, signature })).toBe(false);
    // 32 bytes that are no point of the curve.
    const noPoint = new Uint8Array(32).fill(0xff);
    expect(isSignedBy({ publicKey: noPoint, message, signature })).toBe(false);
    expect(() => new SigningKey(new Uint8Array(31))).toThrow(RangeError);
  });
});

test("secrets for different purposes have nothing in common, nor with what they come from", () => {
  const secret = sha256();
  const [a, b] = ["a", "b"].map((purpose) => deriveSecret({ secret, purpose }));
  expect(a).toHaveLength(32);
  expect(toHex(a!)).not.toBe(toHex(b!));
  expect(toHex(a!)).not.toBe(toHex(secret));
  expect(toHex(deriveSecret({ secret, purpose: "a" }))).toBe(toHex(a!));
});

test("bytes are equal by content, also of a part of a larger buffer", () => {
  const large = Buffer.from("0011aabb22", "hex");
  expect(bytesEqual(large.subarray(2, 4), fromHex("aabb"))).toBe(true);
  expect(bytesEqual(large.subarray(2, 4), fromHex("aabbcc"))).toBe(false);
  expect(toHex(large.subarray(2, 4))).toBe("aabb");
});
