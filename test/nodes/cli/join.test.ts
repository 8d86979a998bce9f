import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { beforeEach, expect, it } from "vitest";
import { JoinTokenSchema } from "../../../gen/headwater/v1/mesh_pb.ts";
import { formatFingerprint } from "../../../nodes/config/fingerprint.ts";
import { formatToken } from "../../../relay/trust/join-token.ts";
import { sha256 } from "../../../relay/trust/key.ts";
import { temporaryDirectory } from "../store/temporary-directory.ts";
import { openFakeAdmin } from "./fake-admin.ts";
import type { FakeTerminal } from "./fake-terminal.ts";

const certificate = new Uint8Array([1, 2, 3]);
const authority = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const pins = [
  { project: "horizon", authority: authority(1), overlays: [authority(2)] },
  { project: "keystone", authority: authority(3), overlays: [] },
];
const addresses = ["flags.example.org:7701", "flags.example.net:7701"];
const token = formatToken(
  create(JoinTokenSchema, { addresses, certificate, site: "openstack", pins, credential: {} }),
);

let terminal: FakeTerminal;
let asked: string[];

beforeEach(async () => {
  asked = [];
  ({ terminal } = await openFakeAdmin({
    nodes: {
      join: (request) => {
        asked.push(request.token);
        return { site: "openstack", addresses, projects: pins };
      },
    },
  }));
});

it("shows the parent, its addresses, and whose word counts from now on", async () => {
  const { code, stdout } = await terminal.run("join", token);
  expect(code).toBe(0);
  expect(stdout.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
    ["joined openstack"],
    ["addresses", addresses.join(", ")],
    ["certificate", formatFingerprint(sha256(certificate))],
    ["projects"],
    ["", "horizon", formatFingerprint(authority(1))],
    ["", "overlay", formatFingerprint(authority(2))],
    ["", "keystone", formatFingerprint(authority(3))],
  ]);
  expect(asked).toEqual([token]);
});

it("takes the token from stdin", async () => {
  terminal.input = `${token}\n`;
  expect(await terminal.run("join", "-")).toMatchObject({ code: 0 });
  expect(asked).toEqual([token]);
});

it("answers machines", async () => {
  expect(await terminal.json("join", token)).toEqual({
    site: "openstack",
    addresses,
    certificate: formatFingerprint(sha256(certificate)),
    projects: [
      {
        project: "horizon",
        authority: formatFingerprint(authority(1)),
        overlays: [formatFingerprint(authority(2))],
      },
      { project: "keystone", authority: formatFingerprint(authority(3)), overlays: [] },
    ],
  });
});

it("tells who names a file how to join with what is in it", async () => {
  const file = join(temporaryDirectory(), "acme.token");
  writeFileSync(file, token);
  const { code, stderr } = await terminal.run("join", file);
  expect(code).toBe(2);
  expect(stderr).toContain(`hint: \`headwater join - < ${file}\` joins with the token in it.`);
  expect(asked).toEqual([]);
});

it("does not bother the node with what is no token", async () => {
  expect(await terminal.run("join", token.slice(0, -20))).toMatchObject({ code: 2, stdout: "" });
  expect(asked).toEqual([]);
});
