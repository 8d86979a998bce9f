import { readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";
import { type Client, createClient, type Interceptor } from "@connectrpc/connect";
import { CensusService } from "../../gen/headwater/v1/censuses_pb.ts";
import { FleetService } from "../../gen/headwater/v1/fleet_pb.ts";
import { LedgerService } from "../../gen/headwater/v1/ledgers_pb.ts";
import { NodeService } from "../../gen/headwater/v1/nodes_pb.ts";
import { OperatorService } from "../../gen/headwater/v1/operators_pb.ts";
import { RolloutService } from "../../gen/headwater/v1/rollouts_pb.ts";
import { dialDeadlineMs } from "../../relay/cadence.ts";
import { nodeOptions } from "../config/node-options.ts";
import { operatorOptions } from "../config/operator-options.ts";
import { readSettings, type Texts, unknownVariables } from "../config/settings.ts";
import { createConnectTransport } from "../connect-node.ts";
import { HeadwaterError } from "../error.ts";
import { tokenFile } from "./admin-error.ts";
import { problemsError } from "./problems.ts";

/** A node's admin port, by subject. Its calls throw what `adminError` explains. */
export interface AdminClient {
  readonly url: string;
  readonly token: string | undefined;
  readonly ledgers: Client<typeof LedgerService>;
  readonly nodes: Client<typeof NodeService>;
  readonly censuses: Client<typeof CensusService>;
  readonly fleet: Client<typeof FleetService>;
  readonly rollouts: Client<typeof RolloutService>;
  readonly operators: Client<typeof OperatorService>;
}

/** What commands read of the node's own settings. */
const nodeFiles = { dataDir: nodeOptions.dataDir, tlsCaFile: nodeOptions.tlsCaFile };

/**
 * For the node that HEADWATER_ADMIN_URL names. Nothing is sent yet.
 * @throws HeadwaterError `invalid`, with all problems of the settings
 */
export function openAdminClient(env: Texts, actor: string = ""): AdminClient {
  const { values, problems } = readSettings({ ...operatorOptions, ...nodeFiles }, { env });
  const all = [...unknownVariables(env), ...problems];
  if (all.length > 0) throw problemsError({ title: "wrong settings", problems: all });
  const url = values.adminUrl ?? "";
  const token = values.adminToken ?? (isLoopback(url) ? localToken(tokenFile(env)) : undefined);
  if (token !== undefined) assertPrivate(url);
  const ca = authorities(env);
  const transport = createConnectTransport({
    baseUrl: url,
    httpVersion: "1.1",
    defaultTimeoutMs: dialDeadlineMs,
    interceptors: [saying({ token, actor })],
    ...(ca !== undefined && { nodeOptions: { ca: [...rootCertificates, ca] } }),
  });
  return {
    url,
    token,
    ledgers: createClient(LedgerService, transport),
    nodes: createClient(NodeService, transport),
    censuses: createClient(CensusService, transport),
    fleet: createClient(FleetService, transport),
    rollouts: createClient(RolloutService, transport),
    operators: createClient(OperatorService, transport),
  };
}

/** Without the file the node decides; most often there is no node then. */
function localToken(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return undefined;
    throw new HeadwaterError({
      kind: "forbidden",
      message: `cannot read ${file}`,
      hint: "Run this as the user that the node runs as, or set HEADWATER_ADMIN_TOKEN.",
      cause: thrown,
    });
  }
}

/** This machine's token is for this machine's node: it is not sent to others. */
function isLoopback(url: string): boolean {
  const host = URL.parse(url)?.hostname ?? "";
  return host === "localhost" || host === "[::1]" || /^127(\.\d+){3}$/.test(host);
}

/** @throws HeadwaterError `invalid` for a token that everybody on the way could read */
function assertPrivate(url: string): void {
  if (URL.parse(url)?.protocol === "https:" || isLoopback(url)) return;
  throw new HeadwaterError({
    kind: "invalid",
    message: `HEADWATER_ADMIN_URL: the token is not sent to ${url} in the clear`,
    hint: "Write https://, or run this on the node's own machine, or through a tunnel to it.",
  });
}

/** Whom to believe that they are the node, beside the authorities that the system knows. */
function authorities(env: Texts): string | undefined {
  const { values } = readSettings({ file: nodeOptions.tlsCaFile }, { env });
  if (values.file === undefined) return undefined;
  try {
    return readFileSync(values.file, "utf8");
  } catch (cause) {
    throw new HeadwaterError({
      kind: "invalid",
      message: `HEADWATER_TLS_CA_FILE: cannot read ${values.file}`,
      hint: "Set it to the authorities of the node's certificate, PEM.",
      cause,
    });
  }
}

/** Who asks, for the node's audit, and the token that lets them. */
function saying(of: { token: string | undefined; actor: string }): Interceptor {
  return (next) => async (request) => {
    if (of.token !== undefined) request.header.set("authorization", `Bearer ${of.token}`);
    if (of.actor !== "") request.header.set("headwater-actor", encodeURIComponent(of.actor));
    return next(request);
  };
}
