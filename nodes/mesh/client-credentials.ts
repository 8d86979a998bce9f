import type { Socket } from "node:net";
import { checkServerIdentity, createSecureContext, type PeerCertificate } from "node:tls";
import { ChannelCredentials } from "@grpc/grpc-js";
import { siteServerName } from "./site-certificate.ts";
import { pemOf, type Tls } from "./tls.ts";

type SecureConnector = ReturnType<ChannelCredentials["_createSecureConnector"]>;
type ConnectorArguments = Parameters<ChannelCredentials["_createSecureConnector"]>;

/**
 * TLS toward one parent. A pinned authority is given as the only root, so that the handshake
 * itself refuses anybody else: a check in `checkServerIdentity` alone is skipped whenever Node is
 * told not to reject. The pin vouches for `siteServerName`, the name in every certificate of a
 * site, so a parent may be reached by any address. A certificate without that name, and any that
 * was not pinned, has to name the host that was dialled.
 *
 * grpc-js leaves a socket whose handshake never ends to itself when its channel is closed, and
 * tells why a handshake failed as text only; so this keeps the sockets and the error.
 */
export class ParentCredentials extends ChannelCredentials {
  readonly #tls: ChannelCredentials;
  readonly #sockets = new Set<Socket>();
  #handshakeError: unknown;

  /** @throws when the pin is no certificate */
  constructor(of: {
    readonly host: string;
    /** DER; absent: the configured authorities, or else those of the system. */
    readonly pin: Uint8Array | undefined;
    readonly tls: Tls;
  }) {
    super();
    const { host, pin, tls } = of;
    const ca = pin === undefined ? tls.authorities : pemOf(pin);
    const context = createSecureContext({
      ...(ca !== undefined && { ca }),
      ...(tls.identity !== undefined && { cert: tls.identity.certificate, key: tls.identity.key }),
    });
    this.#tls = ChannelCredentials.createFromSecureContext(context, {
      checkServerIdentity: (_name, certificate) =>
        pin !== undefined && isNodeOfSite(certificate)
          ? undefined
          : checkServerIdentity(host, certificate),
    });
  }

  /** Why the last handshake failed; undefined when it did not. */
  get handshakeError(): unknown {
    return this.#handshakeError;
  }

  /** Whether something has accepted a connection. */
  get hasSockets(): boolean {
    return this.#sockets.size > 0;
  }

  destroySockets(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(...of: ConnectorArguments): SecureConnector {
    const connector = this.#tls._createSecureConnector(...of);
    return {
      waitForReady: () => connector.waitForReady(),
      getCallCredentials: () => connector.getCallCredentials(),
      destroy: () => connector.destroy(),
      connect: async (socket) => {
        this.#sockets.add(socket);
        socket.once("close", () => this.#sockets.delete(socket));
        try {
          const connected = await connector.connect(socket);
          this.#handshakeError = undefined;
          return connected;
        } catch (error) {
          this.#handshakeError = error;
          throw error;
        }
      },
    };
  }
}

function isNodeOfSite(certificate: PeerCertificate): boolean {
  return checkServerIdentity(siteServerName, certificate) === undefined;
}
