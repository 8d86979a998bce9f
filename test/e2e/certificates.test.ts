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

const asked = { project: "horizon", flag: "new-scheduler" };

/** An operator's TLS files, in a folder that goes with the test. */
class TlsFolder {
  readonly cert: string;
  readonly key: string;
  readonly settings: Record<string, string>;

  constructor() {
    const directory = mkdtempSync(join(tmpdir(), "headwater-certificates-"));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    this.cert = join(directory, "tls.crt");
    this.key = join(directory, "tls.key");
    this.settings = { HEADWATER_TLS_CERT_FILE: this.cert, HEADWATER_TLS_KEY_FILE: this.key };
  }

  issue(authority: SiteAuthority): void {
    const { certificate, key } = authority.issue(["127.0.0.1"]);
    writeFileSync(this.cert, pemOf(certificate) + pemOf(authority.certificate));
    writeFileSync(this.key, key);
  }
}

test("a certificate is renewed while links are up, and one that can not be used is not taken", async () => {
  const files = new TlsFolder();
  // Stands for an operator's authority that issues anew before the old certificate ends.
  const authority = new SiteAuthority(Buffer.alloc(32, 7));
  files.issue(authority);
  await using parent = await NodeProcess.start("upstream", files.settings);
  await using child = await NodeProcess.start("plant");
  await parent.do(["init", "horizon"]);
  await parent.do(["flag", "set", "horizon/new-scheduler", "0%"]);
  await joinProcess(parent, child);
  const answers = (reason: string): Promise<unknown> =>
    eventually(
      `the child answers ${reason}`,
      async () => (await child.evaluate(asked)).reason === reason,
    );
  await answers("OFF");
  const before = await shownAt(parent.mesh);
  expect(await shownAt(parent.apps)).toBe(before);
  const linksCount = (): number => parent.stderr.split('"child-opened"').length;
  const linksBefore = linksCount();

  files.issue(authority);
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

test("a join token names the authority of the certificate that is shown now, not of the one at the start", async () => {
  const files = new TlsFolder();
  files.issue(new SiteAuthority(Buffer.alloc(32, 7)));
  await using parent = await NodeProcess.start("upstream", files.settings);
  await using child = await NodeProcess.start("plant");
  await parent.do(["init", "horizon"]);
  await parent.do(["flag", "set", "horizon/new-scheduler", "100%"]);

  files.issue(new SiteAuthority(Buffer.alloc(32, 8)));
  parent.signal("SIGHUP");
  await eventually("it is taken", () => parent.stderr.includes('"tls-renewed"'));
  await joinProcess(parent, child);
  await eventually(
    "the child has its flags",
    async () => (await child.evaluate(asked)).reason === "FULL",
  );
  expect(child.stderr).not.toContain("is not one of the site");
}, 300_000);
