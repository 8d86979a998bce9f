import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  FleetSampleSchema,
  FleetService,
  GetFleetResponseSchema,
  SentDocumentSchema,
} from "../../../gen/headwater/v1/fleet_pb.ts";
import { DocumentSchema } from "../../../gen/headwater/v1/telemetry_pb.ts";
import { HeadwaterError } from "../../../nodes/error.ts";
import { done } from "../../../relay/refusal.ts";
import { FakeAccess } from "../fake-access.ts";
import { openTestAdmin } from "./open-admin.ts";

const project = "horizon";
const document = create(DocumentSchema, { project, kind: "WEIGHTS", window: 7n });

test("GetFleet reads the fleet at the node's time", async () => {
  const asked: unknown[] = [];
  const access = new FakeAccess({
    fleet: (of, wallMs) => {
      asked.push([of, wallMs]);
      return done(create(GetFleetResponseSchema, { project: of, reportersCount: 3 }));
    },
  });
  const { client } = await openTestAdmin(access);
  expect(await client(FleetService).getFleet({ project })).toMatchObject({ reportersCount: 3 });
  expect(asked).toEqual([[project, access.wallMs]]);
});

test("PreviewDocument shows the document and its very bytes, or why there is none", async () => {
  const access = new FakeAccess({
    preview: ({ kind }) =>
      kind === "WEIGHTS"
        ? done({ document, why: "", cautions: ["it is small"] })
        : done({ document: undefined, why: "disclosure to acme is off", cautions: [] }),
  });
  const fleet = (await openTestAdmin(access)).client(FleetService);
  expect(await fleet.previewDocument({ project, kind: "WEIGHTS" })).toMatchObject({
    document,
    bytes: toBinary(DocumentSchema, document).length,
    encoded: toBinary(DocumentSchema, document),
    cautions: ["it is small"],
  });
  const none = await fleet.previewDocument({ project, kind: "HEALTH" });
  expect(none).toMatchObject({ bytes: 0, why: "disclosure to acme is off" });
  expect(none.document).toBeUndefined();
});

test("ListDocuments gives what was sent for the project, newest first", async () => {
  const access = new FakeAccess();
  access.records = [2n, 1n].map((atMs) =>
    toBinary(SentDocumentSchema, create(SentDocumentSchema, { atMs, upstream: "acme", document })),
  );
  const { client } = await openTestAdmin(access);
  const { documents } = await client(FleetService).listDocuments({ project });
  expect(documents.map(({ atMs }) => atMs)).toEqual([2n, 1n]);
  expect(documents[0]?.document).toEqual(document);
  expect(access.listed).toEqual([{ bucket: "sent", prefix: "horizon/", limit: 100 }]);
});

test("ListSamples leaves out what was sampled while the clock was ahead", async () => {
  const access = new FakeAccess();
  const nowMs = BigInt(access.wallMs);
  const times = [nowMs + 31_536_000_000n, nowMs, nowMs - 3_600_000n];
  access.records = times.map((atMs) =>
    toBinary(FleetSampleSchema, create(FleetSampleSchema, { atMs, reportersCount: 3 })),
  );
  const { client } = await openTestAdmin(access);
  const { samples } = await client(FleetService).listSamples({ project });
  expect(samples.map(({ atMs }) => atMs)).toEqual([nowMs, nowMs - 3_600_000n]);
  expect(access.listed).toEqual([{ bucket: "sample", prefix: "horizon/", limit: 200 }]);
});

test("SetDisclosure takes a level in either case, and no other word", async () => {
  const access = new FakeAccess();
  access.answers.set("set-disclosure", () => ({ upstreams: ["acme"] }));
  const fleet = (await openTestAdmin(access)).client(FleetService);
  const answer = await fleet.setDisclosure({ level: "exact", upstream: "acme" });
  expect(answer.upstreams).toEqual(["acme"]);
  expect(access.asked).toMatchObject([{ level: "EXACT", upstream: "acme" }]);
  const refusal = await fleet.setDisclosure({ level: "a lot" }).catch((thrown: unknown) => thrown);
  const error = HeadwaterError.from(refusal);
  expect(error.kind).toBe("invalid");
  expect(error.message).toMatch(/^level: "a lot" is none of OFF, EXACT/);
});
