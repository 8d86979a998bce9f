import { describe, expect, it } from "vitest";
import { parseTrustFile } from "../../../nodes/config/trust-file.ts";

const authority = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const fingerprint = (byte: number): string =>
  `sha256:${byte.toString(16).padStart(2, "0").repeat(32)}`;

describe("parseTrustFile", () => {
  it("reads a line for each project, and a table where there are overlays", () => {
    const toml = `
horizon = "${fingerprint(1)}"
"keystone.api" = "${fingerprint(2)}"

[neutron]
authority = "${fingerprint(3)}"
overlays = ["${fingerprint(4)}", "${fingerprint(5)}"]

[nova]
authority = "${fingerprint(6)}"
`;
    expect(parseTrustFile(toml)).toEqual({
      pins: [
        { project: "horizon", authority: authority(1), overlays: [] },
        { project: "keystone.api", authority: authority(2), overlays: [] },
        { project: "neutron", authority: authority(3), overlays: [authority(4), authority(5)] },
        { project: "nova", authority: authority(6), overlays: [] },
      ],
    });
  });

  it("reports all problems, each with the mend", () => {
    const toml = `
horizon = "${"ab".repeat(32)}"
count = 5
a.b = "${fingerprint(1)}"
"not a name" = "${fingerprint(2)}"
[neutron]
overlays = "none"
`;
    expect(parseTrustFile(toml)).toEqual({
      problems: [
        `horizon: "${"ab".repeat(32)}" is no fingerprint: write "${fingerprint(0xab)}"`,
        'count: write "sha256:…", or a table with authority',
        'a.authority: write "sha256:…"',
        "a: b is neither authority nor overlays; quote a project's name that has a dot",
        '"not a name" is no name of a project',
        'neutron.authority: write "sha256:…"',
        'neutron.overlays: write ["sha256:…"]',
      ],
    });
  });

  it("has room for as many layers as a node folds", () => {
    const overlays = (count: number): string =>
      Array.from({ length: count }, (_, at) => `"${fingerprint(at)}"`).join(",");
    const toml = (count: number): string =>
      `[a]\nauthority = "${fingerprint(99)}"\noverlays = [${overlays(count)}]`;
    expect(parseTrustFile(toml(7))).toHaveProperty("pins");
    expect(parseTrustFile(toml(8))).toEqual({ problems: ["a.overlays: at most 7 overlays"] });
  });

  it("says where it is no TOML", () => {
    expect(parseTrustFile('a = "x"\nb = \n')).toEqual({
      problems: ["line 2, column 5: invalid value"],
    });
  });
});
