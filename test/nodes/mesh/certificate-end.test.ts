import { X509Certificate } from "node:crypto";
import { expect, it } from "vitest";
import { certificateMetrics, tellExpired } from "../../../nodes/mesh/certificate-end.ts";
import type { Tls } from "../../../nodes/mesh/tls.ts";
import type { LogEntry } from "../../../relay/effect.ts";
import { localhostCertificate } from "../http/localhost-certificate.ts";

const { cert: certificate, key } = localhostCertificate;
const tls: Tls = { identity: { certificate, key } };
const endMs = Date.parse(new X509Certificate(certificate).validTo);

function told(files: Tls, wallMs: number): LogEntry[] {
  const lines: LogEntry[] = [];
  tellExpired({ tls: files, wallMs, log: { write: (entry) => lines.push(entry) } });
  return lines;
}

it("tells of an operator's certificate that has ended, and of no other", () => {
  expect(told(tls, endMs - 1)).toEqual([]);
  expect(told({}, endMs)).toEqual([]);
  expect(told(tls, endMs)).toEqual([
    expect.objectContaining({ level: "error", event: "certificate-expired" }),
  ]);
});

it("says to monitoring when it ends", () => {
  expect(certificateMetrics(tls).map(({ read }) => read())).toEqual([endMs / 1_000]);
  expect(certificateMetrics({}).map(({ read }) => read())).toEqual([Number.POSITIVE_INFINITY]);
});
