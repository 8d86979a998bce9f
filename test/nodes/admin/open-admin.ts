import type { DescService } from "@bufbuild/protobuf";
import { type Client, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { onTestFinished } from "vitest";
import { type AdminOptions, openAdmin } from "../../../nodes/admin/admin.ts";
import type { Listener } from "../../../nodes/http/listener.ts";
import { FakeAccess } from "../fake-access.ts";
import { LogLines } from "../http/log-lines.ts";

export const token = "a-token-of-the-test";

export interface OpenedAdmin {
  readonly url: string;
  readonly access: FakeAccess;
  readonly log: LogLines;
  readonly listener: Listener;
  /** A client with the token. */
  readonly client: <S extends DescService>(service: S) => Client<S>;
  /** The same over gRPC, with whatever it shows. */
  readonly grpcClient: <S extends DescService>(service: S, shown: string | undefined) => Client<S>;
  readonly get: (path: string, headers?: Record<string, string>) => Promise<Response>;
}

/** The operators' port of a fake node, closed when the test is over. */
export async function openTestAdmin(
  access: FakeAccess = new FakeAccess(),
  options: Partial<AdminOptions> = {},
): Promise<OpenedAdmin> {
  const log = new LogLines();
  const listener = await openAdmin({
    access,
    address: "127.0.0.1:0",
    token,
    log,
    software: "headwater 0.0.0-test",
    startedMs: access.wallMs - 1_000,
    advertise: ["mesh.example:7701"],
    identity: { pin: Uint8Array.of(1, 2, 3) },
    deadlines: { closeMs: 1_000 },
    ...options,
  });
  onTestFinished(() => listener.close());
  const url = `http://${listener.address}`;
  const client = <S extends DescService>(service: S, transport: Transport): Client<S> =>
    createClient(service, transport);
  return {
    url,
    access,
    log,
    listener,
    client: (service) =>
      client(
        service,
        createConnectTransport({
          baseUrl: url,
          httpVersion: "1.1",
          interceptors: [showing(`Bearer ${token}`)],
        }),
      ),
    grpcClient: (service, shown) =>
      client(service, createGrpcTransport({ baseUrl: url, interceptors: [showing(shown)] })),
    get: (path, headers = {}) => fetch(`${url}${path}`, { headers }),
  };
}

function showing(shown: string | undefined): Interceptor {
  return (next) => (request) => {
    if (shown !== undefined) request.header.set("authorization", shown);
    return next(request);
  };
}
