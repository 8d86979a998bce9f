import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import {
  EvaluateRequestSchema,
  ReportRequestSchema,
  WatchRequestSchema,
} from "../../gen/headwater/v1/apps_pb.ts";
import { CommitRequestSchema, GetLedgerRequestSchema } from "../../gen/headwater/v1/ledgers_pb.ts";
import { ExplainRequestSchema } from "../../gen/headwater/v1/nodes_pb.ts";
import { CheckGateRequestSchema } from "../../gen/headwater/v1/rollouts_pb.ts";
import { LogsRequestSchema } from "../../gen/opentelemetry/v1/otlp_pb.ts";
import type { Target } from "./target.ts";
import { textBytes } from "./target.ts";
import { otlpLogs } from "./targets/otlp.ts";

/** A valid request, whose body, path or headers are altered. */
export interface DoorRequest {
  readonly port: "apps" | "admin";
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly type: string;
  readonly form: Target["form"];
  readonly body: Uint8Array;
}

const project = "horizon";
const evaluate = create(EvaluateRequestSchema, {
  project,
  flag: "a",
  instance: "i-1",
  version: "1",
});
const report = create(ReportRequestSchema, {
  project,
  version: "1.0",
  health: "OK",
  instance: "i-1",
});
const watch = toBinary(WatchRequestSchema, create(WatchRequestSchema, { project }));
const json = "application/json";
const proto = "application/proto";

type Init = Pick<DoorRequest, "path" | "body"> & Partial<DoorRequest>;

function asked(of: Init): DoorRequest {
  return { port: "apps", method: "POST", type: json, form: "text", ...of };
}

function binary(of: Init): DoorRequest {
  return asked({ type: proto, form: "wire", ...of });
}

/** Five bytes before each message, of gRPC and of Connect's streams. */
function framed(message: Uint8Array): Uint8Array {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return new Uint8Array(Buffer.concat([head, message]));
}

const none = new Uint8Array(0);
const context = textBytes(`{"context":{"targetingKey":"i-1","version":"1.0"}}`);

export const doorRequests: readonly DoorRequest[] = [
  binary({
    path: "/headwater.v1.FlagService/Evaluate",
    body: toBinary(EvaluateRequestSchema, evaluate),
  }),
  asked({
    path: "/headwater.v1.FlagService/Evaluate",
    body: textBytes(toJsonString(EvaluateRequestSchema, evaluate)),
  }),
  binary({
    path: "/headwater.v1.TelemetryService/Report",
    body: toBinary(ReportRequestSchema, report),
  }),
  asked({
    path: "/headwater.v1.TelemetryService/Report",
    body: textBytes(toJsonString(ReportRequestSchema, report)),
  }),
  binary({
    path: "/headwater.v1.FlagService/Watch",
    type: "application/connect+proto",
    form: "bytes",
    body: framed(watch),
  }),
  asked({ path: "/ofrep/v1/evaluate/flags", body: context }),
  asked({ path: `/${project}/ofrep/v1/evaluate/flags/a`, body: context }),
  asked({ path: `/${project}/ofrep/v1/events`, method: "GET", body: none }),
  binary({
    path: "/v1/logs",
    type: "application/x-protobuf",
    body: toBinary(LogsRequestSchema, otlpLogs),
  }),
  asked({ path: "/v1/logs", body: textBytes(toJsonString(LogsRequestSchema, otlpLogs)) }),
  asked({
    path: "/flagd.evaluation.v1.Service/ResolveBoolean",
    body: textBytes(`{"flagKey":"a","context":{"targetingKey":"i-1"}}`),
  }),
  asked({
    path: "/flagd.sync.v1.FlagSyncService/FetchAllFlags",
    body: textBytes(`{"selector":"horizon"}`),
  }),
  ...(["/healthz", "/readyz", "/metrics", "/", "/index.html"] as const).map((path) =>
    asked({ port: "admin", method: "GET", path, body: none }),
  ),
  asked({ port: "admin", path: "/headwater.v1.NodeService/GetStatus", body: textBytes("{}") }),
  binary({
    port: "admin",
    path: "/headwater.v1.NodeService/Explain",
    body: toBinary(ExplainRequestSchema, create(ExplainRequestSchema, { project, flag: "a" })),
  }),
  binary({
    port: "admin",
    path: "/headwater.v1.LedgerService/GetLedger",
    body: toBinary(GetLedgerRequestSchema, create(GetLedgerRequestSchema, { project })),
  }),
  binary({
    port: "admin",
    path: "/headwater.v1.LedgerService/Commit",
    body: toBinary(
      CommitRequestSchema,
      create(CommitRequestSchema, {
        ledger: { project },
        entries: [{ key: "flag/x", value: none }],
      }),
    ),
  }),
  binary({
    port: "admin",
    path: "/headwater.v1.RolloutService/CheckGate",
    body: toBinary(
      CheckGateRequestSchema,
      create(CheckGateRequestSchema, { project, sitesMin: 1 }),
    ),
  }),
  ...["FleetService/GetFleet", "CensusService/ListCensuses", "OperatorService/ListAudit"].map(
    (path) =>
      asked({
        port: "admin",
        path: `/headwater.v1.${path}`,
        body: textBytes(`{"project":"horizon"}`),
      }),
  ),
];

/** The request as it stands on an HTTP/1.1 connection. */
export function rawRequest(of: DoorRequest, authorization: string): Uint8Array {
  const lines = [
    `${of.method} ${of.path} HTTP/1.1`,
    "host: node",
    `content-type: ${of.type}`,
    ...(of.port === "admin" ? [`authorization: ${authorization}`] : []),
    `content-length: ${of.body.length}`,
    "\r\n",
  ];
  return new Uint8Array(Buffer.concat([Buffer.from(lines.join("\r\n")), of.body]));
}

interface GrpcCall {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly message?: Uint8Array;
}

const fetchAllFlags = { path: "/flagd.sync.v1.FlagSyncService/FetchAllFlags" };

/** A whole number of HPACK behind one bit: RFC 7541, 5.1. */
function hpackLength(length: number): Buffer {
  if (length < 0x7f) return Buffer.from([length]);
  const rest = length - 0x7f;
  return Buffer.from([0x7f, (rest & 0x7f) | 0x80, rest >> 7]);
}

/** The beginning of an HTTP/2 connection: preface, SETTINGS, and HEADERS of a gRPC call. */
export function rawHttp2(of: GrpcCall = fetchAllFlags): Uint8Array {
  const { path, headers = {}, message = none } = of;
  const text = (word: string): Buffer =>
    Buffer.concat([hpackLength(word.length), Buffer.from(word)]);
  const literal = (name: string, value: string): Buffer =>
    Buffer.concat([Buffer.from([0x00]), text(name), text(value)]);
  const block = Buffer.concat([
    // Of HPACK's static table: :method POST, :scheme http.
    Buffer.from([0x83, 0x86]),
    literal(":path", path),
    literal(":authority", "node"),
    literal("content-type", "application/grpc"),
    ...Object.entries(headers).map(([name, value]) => literal(name, value)),
  ]);
  const frame = (type: number, flags: number, stream: number, payload: Uint8Array): Buffer => {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head.writeUInt8(type, 3);
    head.writeUInt8(flags, 4);
    head.writeUInt32BE(stream, 5);
    return Buffer.concat([head, payload]);
  };
  return new Uint8Array(
    Buffer.concat([
      Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
      frame(4, 0, 0, Buffer.alloc(0)),
      frame(1, 4, 1, block),
      frame(0, 1, 1, framed(message)),
    ]),
  );
}
