import { generateKeyPairSync, randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_serverAuth,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
} from "@peculiar/asn1-x509";
import { deriveSecret, keyIdOf, SigningKey, sha256 } from "../../relay/trust/key.ts";

/** RFC 8410; its parameters are absent. */
const ed25519 = new AlgorithmIdentifier({ algorithm: "1.3.101.112" });
const commonName = "2.5.4.3";
/** X.509 version 3. */
const version = 2;

/**
 * From long ago until the date with which RFC 5280, 4.1.2.5, says "no end". Leaves last as long:
 * their keys live in the memory of one process, beside the secret that makes more of them, so an
 * early end would protect nobody, and would cut off a process that runs for long or that started
 * before its clock was set.
 */
const validity = { notBefore: new Date(0), notAfter: new Date("9999-12-31T23:59:59Z") };

/** The name that every node of every site answers to; what tells sites apart is their authority. */
export const siteServerName = "node.headwater.internal";

export interface Leaf {
  /** DER. */
  readonly certificate: Uint8Array;
  /** PKCS #8, PEM. */
  readonly key: string;
}

/**
 * A site's own certificate authority. All of it comes from the site's secret: each node that has
 * the secret makes the same certificate, byte for byte (Ed25519 signatures are deterministic, RFC
 * 8032), so whoever pinned it believes every node of the site, and none of another.
 */
export class SiteAuthority {
  /** DER, self-signed. */
  readonly certificate: Uint8Array;
  readonly #key: SigningKey;
  readonly #name: Name;

  /** The secret has 32 bytes. */
  constructor(siteSecret: Uint8Array) {
    this.#key = new SigningKey(
      deriveSecret({ secret: siteSecret, purpose: "certificate authority" }),
    );
    const { publicKey } = this.#key;
    this.#name = nameOf(`Headwater site ${keyIdOf(publicKey)}`);
    this.certificate = this.#sign({
      serialNumber: Uint8Array.of(1).buffer,
      subject: this.#name,
      publicKey,
      extensions: [
        critical(id_ce_basicConstraints, new BasicConstraints({ cA: true, pathLenConstraint: 0 })),
        critical(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.keyCertSign)),
        plain(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyIdentifier(publicKey))),
      ],
    });
  }

  /** A certificate for a server with a fresh key, valid for these host names and IP addresses. */
  issue(hosts: readonly string[]): Leaf {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const { x = "" } = publicKey.export({ format: "jwk" });
    const issuer = new KeyIdentifier(keyIdentifier(this.#key.publicKey));
    const names = new Set([siteServerName, "localhost", "127.0.0.1", "::1", ...hosts]);
    const certificate = this.#sign({
      serialNumber: randomSerial(),
      subject: nameOf("Headwater node"),
      publicKey: Buffer.from(x, "base64url"),
      extensions: [
        critical(id_ce_basicConstraints, new BasicConstraints()),
        critical(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.digitalSignature)),
        plain(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_serverAuth])),
        plain(id_ce_authorityKeyIdentifier, new AuthorityKeyIdentifier({ keyIdentifier: issuer })),
        plain(id_ce_subjectAltName, new SubjectAlternativeName([...names].map(generalName))),
      ],
    });
    return { certificate, key: privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
  }

  #sign(of: {
    serialNumber: ArrayBuffer;
    subject: Name;
    publicKey: Uint8Array;
    extensions: Extension[];
  }): Uint8Array {
    const { serialNumber, subject, publicKey } = of;
    const tbsCertificate = new TBSCertificate({
      serialNumber,
      subject,
      subjectPublicKeyInfo: new SubjectPublicKeyInfo({
        algorithm: ed25519,
        subjectPublicKey: bufferOf(publicKey),
      }),
      version,
      signature: ed25519,
      issuer: this.#name,
      validity: new Validity(validity),
      extensions: new Extensions(of.extensions),
    });
    const signature = this.#key.sign(new Uint8Array(AsnConvert.serialize(tbsCertificate)));
    const certificate = new Certificate({
      tbsCertificate,
      signatureAlgorithm: ed25519,
      signatureValue: bufferOf(signature),
    });
    return new Uint8Array(AsnConvert.serialize(certificate));
  }
}

function nameOf(text: string): Name {
  const value = new AttributeValue({ utf8String: text });
  const attribute = new AttributeTypeAndValue({ type: commonName, value });
  return new Name([new RelativeDistinguishedName([attribute])]);
}

function generalName(host: string): GeneralName {
  return new GeneralName(isIP(host) === 0 ? { dNSName: domainToASCII(host) } : { iPAddress: host });
}

function critical(extnID: string, value: object): Extension {
  return extension(extnID, value, true);
}

function plain(extnID: string, value: object): Extension {
  return extension(extnID, value, false);
}

function extension(extnID: string, value: object, isCritical: boolean): Extension {
  const extnValue = new OctetString(AsnConvert.serialize(value));
  return new Extension({ extnID, critical: isCritical, extnValue });
}

/** The leftmost 160 bits of the key's SHA-256 (RFC 7093, method 1). */
function keyIdentifier(publicKey: Uint8Array): ArrayBuffer {
  return bufferOf(sha256(publicKey).subarray(0, 20));
}

/** At most 20 bytes, positive, no leading zero (RFC 5280, 4.1.2.2). */
function randomSerial(): ArrayBuffer {
  const serial = new Uint8Array(randomBytes(16));
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial.buffer;
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
