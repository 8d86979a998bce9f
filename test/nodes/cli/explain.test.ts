import { describe, expect, it } from "vitest";
import type { ExplainRequest } from "../../../gen/headwater/v1/nodes_pb.ts";
import { openFakeAdmin } from "./fake-admin.ts";

const parts = [
  {
    authority: new Uint8Array(32).fill(1),
    own: true,
    position: { term: 1, seq: 7 },
    says: "5 %",
    note: "",
    primary: "acme",
  },
  {
    authority: new Uint8Array(32).fill(2),
    position: { term: 2, seq: 3 },
    says: "capped to 1 %",
    note: "waiting for QA",
    writable: true,
  },
];

const explained = {
  freshness: "FRESH",
  effective: { name: "a", basisPoints: 100, hash: 2, reason: "CAPPED" },
  parts,
};

describe("explain", () => {
  it("shows each layer's part", async () => {
    const { terminal } = await openFakeAdmin({ nodes: { explain: () => explained } });
    const { code, stdout } = await terminal.run("explain", "horizon/a");
    expect(code).toBe(0);
    expect(stdout.split("\n")).toEqual([
      "horizon/a, FRESH",
      "",
      expect.stringMatching(/^LAYER +FROM +AUTHORITY +POSITION +SAYS +NOTE$/),
      expect.stringMatching(/^project +acme +sha256:(01){32} +1\.7 +5 %$/),
      expect.stringMatching(
        /^overlay +written here +sha256:(02){32} +2\.3 +capped to 1 % +waiting for QA$/,
      ),
      "",
      "a build of no published release: CAPPED, 1 %",
    ]);
  });

  it("says whether an instance is on, and why", async () => {
    const asked: ExplainRequest[] = [];
    const { terminal } = await openFakeAdmin({
      nodes: {
        explain: (request) => {
          asked.push(request);
          const decision = {
            enabled: request.instance === "web-1",
            reason: "CAPPED",
            freshness: "FRESH",
          };
          return { ...explained, decision, bucket: 42, release: "2.3.0" };
        },
      },
    });
    const of = ["--version", "2.3.0-4.el9", "--instance"];
    expect((await terminal.run("explain", "horizon/a", ...of, "web-1")).stdout).toContain(
      "web-1 with 2.3.0-4.el9 (release 2.3.0): on, CAPPED, 1 %; its bucket is 42 of 10000",
    );
    expect((await terminal.run("explain", "horizon/a", ...of, "web-2")).stdout).toContain(
      "web-2 with 2.3.0-4.el9 (release 2.3.0): off, CAPPED, 1 %; its bucket is 42 of 10000",
    );
    expect(asked[0]).toMatchObject({
      project: "horizon",
      flag: "a",
      instance: "web-1",
      version: "2.3.0-4.el9",
    });
  });

  it("ends with 4 while nothing is verified", async () => {
    const { terminal } = await openFakeAdmin({
      nodes: { explain: () => ({ freshness: "EMPTY" }) },
    });
    expect(await terminal.run("explain", "horizon/a")).toEqual({
      code: 4,
      stdout: "horizon/a, EMPTY\na build of no published release: nothing is known",
      stderr: "",
    });
  });

  it("answers machines", async () => {
    const { terminal } = await openFakeAdmin({ nodes: { explain: () => explained } });
    expect(await terminal.json("explain", "horizon/a")).toMatchObject({
      project: "horizon",
      flag: "a",
      effective: { basisPoints: 100, reason: "CAPPED" },
      parts: [{ own: true, authority: `sha256:${"01".repeat(32)}` }, { own: false }],
    });
  });
});
