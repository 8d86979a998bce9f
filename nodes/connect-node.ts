import type { connectNodeAdapter } from "@connectrpc/connect-node";

/**
 * All that we use of a package that refuses Node 20, on which apps install ours. What runs it has a
 * modern Node; it is bundled when the package is built, so that nobody has to install it.
 */
export {
  compressionGzip,
  createConnectTransport,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";

/** What answers requests of Node's servers. */
export type NodeHandler = ReturnType<typeof connectNodeAdapter>;
