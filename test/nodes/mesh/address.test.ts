import { expect, test } from "vitest";
import { formatAddress, parseAddress } from "../../../nodes/mesh/address.ts";

test.each([
  ["127.0.0.1:7701", { host: "127.0.0.1", port: 7701 }],
  ["node-1.acme.example:65535", { host: "node-1.acme.example", port: 65_535 }],
  ["[2001:db8::7]:1", { host: "2001:db8::7", port: 1 }],
  [":0", { host: "", port: 0 }],
])("%s is an address", (text, address) => {
  expect(parseAddress(text)).toEqual(address);
  expect(formatAddress(address)).toBe(text);
});

test.each([
  "",
  "host",
  "host:",
  "host:x",
  "host:65536",
  "2001:db8::7:1",
  "unix:/run/socket:1",
  "dns://8.8.8.8/host:1",
  "user@host:1",
  "host :1",
  "host:1\n",
])("%j is none", (text) => {
  expect(parseAddress(text)).toBeUndefined();
});
