import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  MeshService,
  ReplicateRequestSchema,
  SubmitDocumentRequestSchema,
} from "../../../gen/headwater/v1/mesh_pb.ts";
import { methodCodec, serviceDefinition } from "../../../nodes/mesh/codec.ts";
import { frameNumber } from "./mesh-pair.ts";

const replicate = methodCodec(MeshService.method.replicate);

test("methods are where gRPC expects them", () => {
  const definition = serviceDefinition(MeshService);
  expect(
    Object.entries(definition).map(([name, { path, requestStream, responseStream }]) => ({
      name,
      path,
      requestStream,
      responseStream,
    })),
  ).toEqual([
    {
      name: "replicate",
      path: "/headwater.v1.MeshService/Replicate",
      requestStream: false,
      responseStream: true,
    },
    {
      name: "confirm",
      path: "/headwater.v1.MeshService/Confirm",
      requestStream: false,
      responseStream: false,
    },
    {
      name: "submitDocument",
      path: "/headwater.v1.MeshService/SubmitDocument",
      requestStream: false,
      responseStream: false,
    },
    {
      name: "giveBack",
      path: "/headwater.v1.MeshService/GiveBack",
      requestStream: false,
      responseStream: false,
    },
  ]);
});

test("ready bytes are not copied", () => {
  const frame = frameNumber(7);
  const within = new Uint8Array(32).subarray(3, 9);
  for (const bytes of [frame, within]) {
    const written = replicate.responseSerialize(bytes);
    expect(written.buffer).toBe(bytes.buffer);
    expect([written.byteOffset, written.length]).toEqual([bytes.byteOffset, bytes.length]);
  }
});

test("messages are encoded and decoded", () => {
  const request = create(ReplicateRequestSchema, { site: "acme", nodeId: Uint8Array.of(1, 2) });
  const bytes = replicate.requestSerialize(request);
  expect(fromBinary(ReplicateRequestSchema, bytes).site).toBe("acme");
  const decoded = replicate.requestDeserialize(
    Buffer.from(toBinary(ReplicateRequestSchema, request)),
  );
  expect(decoded).toEqual(request);
  expect(Buffer.isBuffer(decoded.nodeId)).toBe(false);
});

test("of a request nothing is kept that nobody knows, however much there is", () => {
  const { requestDeserialize } = methodCodec(MeshService.method.submitDocument);
  const request = create(SubmitDocumentRequestSchema, { document: { project: "horizon" } });
  const unknown = Buffer.from([0x78, 0x00]);
  const known = toBinary(SubmitDocumentRequestSchema, request);
  const [field = 0, length = 0, ...document] = known;
  const within = Buffer.concat([Buffer.from(document), unknown]);
  const padded = Buffer.concat([Buffer.from([field, length + unknown.length]), within, unknown]);
  expect(requestDeserialize(padded)).toEqual(request);
});
