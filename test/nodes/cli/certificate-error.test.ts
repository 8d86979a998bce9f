import { writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, it, onTestFinished } from "vitest";
import { certificateError } from "../../../nodes/cli/certificate-error.ts";
import { localhostCertificate } from "../http/localhost-certificate.ts";
import { temporaryDirectory } from "../store/temporary-directory.ts";
import { FakeTerminal } from "./fake-terminal.ts";

/** Its port; it is shown, and never spoken to. */
async function openListener(): Promise<number> {
  const server = createServer(localhostCertificate, (_, response) => response.end());
  await new Promise<void>((resolve) => server.listen(0, resolve));
  onTestFinished(() => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

it("names the setting where the authority of a node's certificate is not known", async () => {
  const env = {
    HEADWATER_ADMIN_URL: `https://localhost:${await openListener()}`,
    HEADWATER_ADMIN_TOKEN: "t",
  };
  const { code, stderr } = await new FakeTerminal(env).run("status");
  expect(code).toBe(3);
  expect(stderr).toContain("is of an authority that is not known here");
  expect(stderr).toContain("hint: Set HEADWATER_TLS_CA_FILE");
});

it("says that the certificate is for other names", async () => {
  const file = join(temporaryDirectory(), "ca.crt");
  writeFileSync(file, localhostCertificate.cert);
  const env = {
    HEADWATER_ADMIN_URL: `https://0.0.0.0:${await openListener()}`,
    HEADWATER_ADMIN_TOKEN: "t",
    HEADWATER_TLS_CA_FILE: file,
  };
  const { code, stderr } = await new FakeTerminal(env).run("status");
  expect(code).toBe(3);
  expect(stderr).toContain("is for other names");
  expect(stderr).toContain("hint: Set HEADWATER_ADMIN_URL");
});

it.each([
  ["CERT_HAS_EXPIRED", "has expired", "Renew the files"],
  ["CERT_NOT_YET_VALID", "is not valid yet", "Compare the clock"],
])("tells of %s", (code, says, hint) => {
  const reason = Object.assign(new Error("certificate"), { code });
  const thrown = new ConnectError("certificate", Code.Internal, undefined, undefined, reason);
  expect(certificateError(thrown, "https://a.example")).toMatchObject({
    kind: "unreachable",
    message: expect.stringContaining(says),
    hint: expect.stringContaining(hint),
  });
});

it("is silent about what is no certificate's fault", () => {
  const reason = Object.assign(new Error("reset"), { code: "ECONNRESET" });
  const thrown = new ConnectError("reset", Code.Aborted, undefined, undefined, reason);
  expect(certificateError(thrown, "https://a.example")).toBeUndefined();
});
