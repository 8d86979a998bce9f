import { describe, expect, it } from "vitest";
import { parseConfigFile } from "../../../nodes/config/config-file.ts";

describe("parseConfigFile", () => {
  it("reads texts, numbers and lists as the texts of flags", () => {
    const toml = 'data-dir = "./data"\nupstreams = ["a:1", "b:2"]\nname = 7\n';
    expect(parseConfigFile(toml)).toEqual({
      texts: { "data-dir": "./data", upstreams: "a:1,b:2", name: "7" },
    });
  });

  it("refuses what is no text", () => {
    expect(parseConfigFile("[node]\nname = 1\n[[list]]\n")).toEqual({
      problems: [
        "node: write a text, a number or a list of them",
        "list: write a text, a number or a list of them",
      ],
    });
  });

  it("says where it is no TOML", () => {
    expect(parseConfigFile("name = 'a'\n= 1")).toMatchObject({
      problems: [expect.stringMatching(/^line 2, column 1: /)],
    });
  });
});
