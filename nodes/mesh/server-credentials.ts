import type { X509Certificate } from "node:crypto";
import type { SecureContextOptions } from "node:tls";
import { ServerCredentials } from "@grpc/grpc-js";
import { dialDeadlineMs } from "../../relay/cadence.ts";
import { parseAddress } from "./address.ts";
import { SiteAuthority } from "./site-certificate.ts";
import { certificatesIn, checkContext, pemOf, type Tls } from "./tls.ts";

export interface ServerIdentity {
  readonly credentials: ServerCredentials;
  /** The authority that join tokens carry now, DER; empty when a child has to know it by itself. */
  readonly pin: Uint8Array;
  /**
   * Takes other files, for whoever connects from now on; links that are up stay.
   * @throws HeadwaterError `invalid` when they can not be used, and the former stay
   */
  renew(tls: Tls): void;
}

/**
 * How this node shows itself to its children: with the operator's certificate, or else with one
 * that the site's own authority issues for these addresses. Client certificates are asked for when
 * there are authorities for them; who has none still comes in with the credential of a token.
 * @throws HeadwaterError `invalid` when the PEM files can not be used
 */
export function serverIdentity(of: {
  readonly tls: Tls;
  /** 32 bytes. */
  readonly siteSecret: Uint8Array;
  /** `host:port`, all that children may know this node by. */
  readonly addresses: readonly string[];
}): ServerIdentity {
  const site = siteIdentity(of);
  let { context, pin } = contextOf(of.tls, site);
  const credentials = new TlsServerCredentials(context, of.tls.authorities !== undefined);
  return {
    credentials,
    get pin() {
      return pin;
    },
    renew(tls) {
      ({ context, pin } = contextOf(tls, site));
      credentials.renew(context);
    },
  };
}

function contextOf(
  { identity, authorities: ca }: Tls,
  site: OwnIdentity,
): { context: SecureContextOptions; pin: Uint8Array } {
  const known = ca === undefined ? [] : certificatesIn(ca, "HEADWATER_TLS_CA_FILE");
  const { cert, key, pin } = identity === undefined ? site : fileIdentity(identity, known);
  const context: SecureContextOptions = { cert, key, ...(ca !== undefined && { ca }) };
  checkContext(context);
  return { context, pin };
}

/** `ServerCredentials.createSsl` would refuse a child without a certificate in the handshake. */
class TlsServerCredentials extends ServerCredentials {
  constructor(context: SecureContextOptions, asksClients: boolean) {
    // Whoever dials gives up as late.
    const handshakeTimeout = dialDeadlineMs;
    super({ requestCert: asksClients, rejectUnauthorized: false, handshakeTimeout }, context);
  }

  renew(context: SecureContextOptions): void {
    this.updateSecureContextOptions(context);
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

interface OwnIdentity {
  readonly cert: string;
  readonly key: string;
  readonly pin: Uint8Array;
}

function siteIdentity(of: { siteSecret: Uint8Array; addresses: readonly string[] }): OwnIdentity {
  const authority = new SiteAuthority(of.siteSecret);
  const hosts = of.addresses.map((address) => parseAddress(address)?.host ?? "");
  const { certificate, key } = authority.issue(hosts.filter((host) => host !== ""));
  return { cert: pemOf(certificate), key, pin: authority.certificate };
}

function fileIdentity(
  { certificate: cert, key }: NonNullable<Tls["identity"]>,
  authorities: readonly X509Certificate[],
): OwnIdentity {
  const chain = certificatesIn(cert, "HEADWATER_TLS_CERT_FILE");
  const root = [...authorities, ...chain].find(
    (one) => isIssued(one, one) && chain.some((link) => isIssued(link, one)),
  );
  return { cert, key, pin: new Uint8Array(root?.raw ?? []) };
}

function isIssued(certificate: X509Certificate, by: X509Certificate): boolean {
  return certificate.checkIssued(by) && certificate.verify(by.publicKey);
}
