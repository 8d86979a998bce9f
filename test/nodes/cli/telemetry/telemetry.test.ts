import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import type {
  PreviewDocumentRequest,
  SetDisclosureRequest,
} from "../../../../gen/headwater/v1/fleet_pb.ts";
import { DocumentSchema } from "../../../../gen/headwater/v1/telemetry_pb.ts";
import { openFakeAdmin } from "../fake-admin.ts";

const document = create(DocumentSchema, {
  project: "horizon",
  kind: "WEIGHTS",
  disclosure: "ROUNDED",
  window: 20_513n,
  windowMs: 86_400_000,
  weights: {
    releases: [{ name: "2.3.0", basisPoints: 0 }],
    flags: [{ name: "a", basisPoints: 500 }],
  },
});

const bytes = toBinary(DocumentSchema, document).length;

const shown = {
  project: "horizon",
  kind: "WEIGHTS",
  disclosure: "ROUNDED",
  window: "20513",
  windowMs: 86_400_000,
  census: [],
  weights: {
    releases: [{ name: "2.3.0", basisPoints: 0 }],
    degraded: [],
    failed: [],
    flags: [{ name: "a", basisPoints: 500 }],
    crashes: [],
  },
};

describe("telemetry preview", () => {
  it("shows every field, zeros too, and the size", async () => {
    const asked: PreviewDocumentRequest[] = [];
    const { terminal } = await openFakeAdmin({
      fleet: {
        previewDocument: (request) => {
          asked.push(request);
          return { document, bytes, encoded: toBinary(DocumentSchema, document) };
        },
      },
    });
    const { code, stdout } = await terminal.run("telemetry", "preview", "horizon");
    expect(code).toBe(0);
    const lines = stdout.split("\n");
    expect(lines.at(-1)).toBe(`${bytes} bytes`);
    expect(JSON.parse(lines.slice(0, -1).join("\n"))).toEqual(shown);
    const options = ["--kind", "health", "--disclosure", "rounded", "--upstream", "openstack"];
    expect(await terminal.json("telemetry", "preview", "horizon", ...options)).toEqual({
      document: shown,
      bytes,
      encoded: Buffer.from(toBinary(DocumentSchema, document)).toString("base64"),
      cautions: [],
      why: "",
    });
    expect(asked).toMatchObject([
      { project: "horizon", kind: "WEIGHTS", disclosure: "", upstream: "" },
      { project: "horizon", kind: "HEALTH", disclosure: "ROUNDED", upstream: "openstack" },
    ]);
  });

  it("says why nothing would be sent", async () => {
    const { terminal } = await openFakeAdmin({
      fleet: { previewDocument: () => ({ why: "disclosure to openstack is off" }) },
    });
    expect(await terminal.run("telemetry", "preview", "horizon")).toEqual({
      code: 0,
      stdout: "nothing would be sent: disclosure to openstack is off",
      stderr: "",
    });
  });
});

describe("telemetry log", () => {
  it("lists what was sent, and what the parent answered", async () => {
    const sent = { atMs: BigInt(Date.UTC(2026, 2, 1)), upstream: "openstack", document };
    const { terminal } = await openFakeAdmin({
      fleet: {
        listDocuments: ({ limit }) => ({
          documents: [sent, { ...sent, outcome: "ACCEPTED" }].slice(0, limit),
        }),
      },
    });
    const { stdout } = await terminal.run("telemetry", "log", "horizon");
    const [head, ...rows] = stdout.split("\n");
    expect(head).toMatch(/^TIME +UPSTREAM +KIND +DISCLOSURE +WINDOW +BYTES +ANSWER$/);
    const what = `openstack +weights +rounded +20513 +${bytes}`;
    expect(rows[0]).toMatch(new RegExp(`${what} +none yet$`));
    expect(rows[1]).toMatch(new RegExp(`${what} +ACCEPTED$`));
    expect(await terminal.json("telemetry", "log", "horizon", "--limit", "1")).toEqual([
      { atMs: Date.UTC(2026, 2, 1), upstream: "openstack", outcome: "", document: shown },
    ]);
  });

  it("says when nothing was", async () => {
    const { terminal } = await openFakeAdmin({ fleet: { listDocuments: () => ({}) } });
    expect((await terminal.run("telemetry", "log", "horizon")).stdout).toBe("nothing was sent");
  });
});

it("telemetry disclose chooses for one upstream, or each", async () => {
  const asked: SetDisclosureRequest[] = [];
  const { terminal } = await openFakeAdmin({
    fleet: {
      setDisclosure: (request) => {
        asked.push(request);
        return {
          upstreams: request.upstream === "" ? ["openstack", "vendor"] : [request.upstream],
        };
      },
    },
  });
  expect(await terminal.run("telemetry", "disclose", "rounded")).toEqual({
    code: 0,
    stdout: "disclosure to openstack, vendor is rounded",
    stderr: "",
  });
  await terminal.run("telemetry", "disclose", "off", "--upstream", "vendor");
  const small = await terminal.run("telemetry", "disclose", "panel");
  expect(small.stdout).toBe("disclosure to openstack, vendor is panel (under-100)");
  const large = await terminal.run("telemetry", "disclose", "panel", "--tier", "100-or-more");
  expect(large.stdout).toBe("disclosure to openstack, vendor is panel (100-or-more)");
  expect(asked).toMatchObject([
    { level: "ROUNDED", upstream: "" },
    { level: "OFF", upstream: "vendor" },
    { level: "MODAL", upstream: "" },
    { level: "PANEL", upstream: "" },
  ]);
});
