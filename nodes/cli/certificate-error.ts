import type { ConnectError } from "@connectrpc/connect";
import { HeadwaterError } from "../error.ts";

interface Explanation {
  readonly says: string;
  readonly hint: string;
}

const unknownAuthority: Explanation = {
  says: "is of an authority that is not known here",
  hint: "Set HEADWATER_TLS_CA_FILE to the certificate of that authority, PEM, if you know it to be the node's.",
};

/** By the codes of Node, https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const explanations: Readonly<Record<string, Explanation>> = {
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  CERT_HAS_EXPIRED: {
    says: "has expired",
    hint: "Renew the files of HEADWATER_TLS_CERT_FILE at the node, which reads them again within a minute.",
  },
  CERT_NOT_YET_VALID: {
    says: "is not valid yet",
    hint: "Compare the clock of this machine with that of the authority.",
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    says: "is for other names",
    hint: "Set HEADWATER_ADMIN_URL to a name or an address that the certificate has.",
  },
};

/** What is wrong with the certificate that whoever listens has shown, if it is that. */
export function certificateError(cause: ConnectError, url: string): HeadwaterError | undefined {
  const { cause: reason } = cause;
  const code = reason instanceof Error && "code" in reason ? String(reason.code) : "";
  const explanation = Object.hasOwn(explanations, code) ? explanations[code] : undefined;
  if (explanation === undefined) return undefined;
  const { says, hint } = explanation;
  const message = `the certificate of ${url} ${says} (${code})`;
  return new HeadwaterError({ kind: "unreachable", message, hint, cause });
}
