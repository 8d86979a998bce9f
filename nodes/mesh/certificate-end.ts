import type { Log } from "../log.ts";
import type { Count } from "../metric.ts";
import { certificatesIn, type Tls } from "./tls.ts";

/** Wall-clock milliseconds at which the first of the operator's chain ends; never where the site has its own. */
function certificateEndMs({ identity }: Tls): number {
  if (identity === undefined) return Number.POSITIVE_INFINITY;
  const chain = certificatesIn(identity.certificate, "HEADWATER_TLS_CERT_FILE");
  return Math.min(...chain.map(({ validTo }) => Date.parse(validTo)));
}

/** What monitoring can warn of beforehand; the files may be renewed meanwhile. */
export function certificateMetrics(tls: Tls): Count[] {
  return [
    {
      name: "certificate_expires_timestamp_seconds",
      help: "When the certificate of HEADWATER_TLS_CERT_FILE ends, in seconds of Unix time; +Inf without one",
      kind: "gauge",
      read: () => certificateEndMs(tls) / 1_000,
    },
  ];
}

/** Links that are up go on with it, and flags too, so that is no reason not to start. */
export function tellExpired(of: { tls: Tls; log: Log; wallMs: number }): void {
  const endMs = certificateEndMs(of.tls);
  if (endMs > of.wallMs) return;
  const message =
    `the certificate of HEADWATER_TLS_CERT_FILE has ended on ${new Date(endMs).toISOString()}: ` +
    "apps, nodes and commands that check it do not connect; renew the file";
  of.log.write({ level: "error", event: "certificate-expired", message });
}
