import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { SiteAuthority } from "../../nodes/mesh/site-certificate.ts";
import { pemOf } from "../../nodes/mesh/tls.ts";
import { eventually } from "../../scripts/demo/eventually.ts";
import { joinProcess, NodeProcess } from "../../scripts/demo/node-process.ts";

/** The fingerprint of the certificate that somebody who connects is shown. */
function shownAt(address: string): Promise<string> {
  const [host = "", port = ""] = address.split(":");
  return new Promise((done, fail) => {
    const of = { host, port: Number(port), rejectUnauthorized: false, ALPNProtocols: ["h2"] };
    const socket = connectTls(of, () => {
      done(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.once("error", fail);
  });
}

test("a certificate is renewed while links are up, and one that can not be used is not taken", async () => {
  const directory = mkdtempSync(join(tmpdir(), "headwater-certificates-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  // Stands for an operator's authority that issues anew before the old certificate ends.
  const authority = new SiteAuthority(Buffer.alloc(32, 7));
  const files = { cert: join(directory, "tls.crt"), key: join(directory, "tls.key") };
  const renew = (): void => {
    const { certificate, key } = authority.issue(["127.0.0.1"]);
    writeFileSync(files.cert, pemOf(certificate) + pemOf(authority.certificate));
    writeFileSync(files.key, key);
  };
  renew();
  await using parent = await NodeProcess.start("upstream", {
    HEADWATER_TLS_CERT_FILE: files.cert,
    HEADWATER_TLS_KEY_FILE: files.key,
  });
  await using child = await NodeProcess.start("plant");
  await parent.do(["init", "horizon"]);
  await parent.do(["flag", "set", "horizon/new-scheduler", "0%"]);
  await joinProcess(parent, child);
  const answers = (reason: string): Promise<unknown> =>
    eventually(`the child answers ${reason}`, async () => {
      const asked = { project: "horizon", flag: "new-scheduler" };
      return (await child.evaluate(asked)).reason === reason;
    });
  await answers("OFF");
  const before = await shownAt(parent.mesh);
  expect(await shownAt(parent.apps)).toBe(before);
  const linksCount = (): number => parent.stderr.split('"child-opened"').length;
  const linksBefore = linksCount();

  renew();
  parent.signal("SIGHUP");
  await eventually("the new certificate is shown", async () => {
    const [mesh, apps] = [await shownAt(parent.mesh), await shownAt(parent.apps)];
    return mesh !== before && mesh === apps;
  });
  const renewed = await shownAt(parent.mesh);
  await parent.do(["flag", "set", "horizon/new-scheduler", "100%"]);
  await answers("FULL");
  expect(linksCount()).toBe(linksBefore);

  writeFileSync(files.key, "no key");
  parent.signal("SIGHUP");
  await eventually("it says so", () => parent.stderr.includes("the former TLS files stay"));
  expect(await shownAt(parent.mesh)).toBe(renewed);
  await child.kill();
  await child.restart();
  await parent.do(["flag", "kill", "horizon/new-scheduler"]);
  await answers("KILLED");
}, 300_000);
