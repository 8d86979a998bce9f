import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type ConnectRouter, type ServiceImpl } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { onTestFinished } from "vitest";
import { FleetService } from "../../../gen/headwater/v1/fleet_pb.ts";
import { LedgerService } from "../../../gen/headwater/v1/ledgers_pb.ts";
import { NodeService } from "../../../gen/headwater/v1/nodes_pb.ts";
import { OperatorService } from "../../../gen/headwater/v1/operators_pb.ts";
import { RolloutService } from "../../../gen/headwater/v1/rollouts_pb.ts";
import { FakeLedger, refusal } from "./fake-ledger.ts";
import { FakeTerminal } from "./fake-terminal.ts";

export const adminToken = "token-of-the-test";

/** An admin port over real HTTP, with what a test says it answers. */
export class FakeAdmin {
  readonly ledger: FakeLedger;
  readonly terminal: FakeTerminal;
  readonly url: string;
  readonly #server: Server;

  constructor(of: { ledger: FakeLedger; server: Server; port: number }) {
    this.ledger = of.ledger;
    this.#server = of.server;
    this.url = `http://127.0.0.1:${of.port}`;
    this.terminal = new FakeTerminal({
      HEADWATER_ADMIN_URL: this.url,
      HEADWATER_ADMIN_TOKEN: adminToken,
    });
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

/** Opens one for the time of a test. */
export async function openFakeAdmin(
  of: {
    nodes?: Partial<ServiceImpl<typeof NodeService>>;
    operators?: Partial<ServiceImpl<typeof OperatorService>>;
    fleet?: Partial<ServiceImpl<typeof FleetService>>;
    rollouts?: Partial<ServiceImpl<typeof RolloutService>>;
    ledger?: FakeLedger;
    port?: number;
  } = {},
): Promise<FakeAdmin> {
  const ledger = of.ledger ?? new FakeLedger("horizon");
  const routes = (router: ConnectRouter): void => {
    router.service(LedgerService, ledger.service());
    router.service(NodeService, of.nodes ?? {});
    router.service(OperatorService, of.operators ?? {});
    router.service(FleetService, of.fleet ?? {});
    router.service(RolloutService, { listRollouts: () => ({}), ...of.rollouts });
  };
  const handler = connectNodeAdapter({
    routes,
    interceptors: [
      (next) => async (request) => {
        if (request.header.get("authorization") !== `Bearer ${adminToken}`)
          throw refusal("unauthenticated", "no bearer token");
        return next(request);
      },
    ],
  });
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(of.port ?? 0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const admin = new FakeAdmin({ ledger, server, port });
  onTestFinished(() => admin.close());
  return admin;
}
