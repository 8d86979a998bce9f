import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openTestApps } from "../apps/open-apps.ts";
import { temporaryDirectory } from "../store/temporary-directory.ts";
import { adminToken, openFakeAdmin } from "./fake-admin.ts";
import { FakeTerminal } from "./fake-terminal.ts";

function dataDirWith(token: string): string {
  const dataDir = temporaryDirectory();
  writeFileSync(join(dataDir, "admin.token"), token);
  return dataDir;
}

describe("the token", () => {
  it("is the one of the environment", async () => {
    const { terminal } = await openFakeAdmin();
    expect(await terminal.run("flag", "list", "horizon")).toMatchObject({ code: 0 });
  });

  it("is else the local node's", async () => {
    const { url } = await openFakeAdmin();
    const env = { HEADWATER_ADMIN_URL: url, HEADWATER_DATA_DIR: dataDirWith(`${adminToken}\n`) };
    expect(await new FakeTerminal(env).run("flag", "list", "horizon")).toMatchObject({ code: 0 });
  });

  it("of this machine is not sent to another", async () => {
    const { port } = await openFakeAdmin();
    const env = {
      // Every interface reaches the same port, and is no loopback address to a reader.
      HEADWATER_ADMIN_URL: `http://0.0.0.0:${port}`,
      HEADWATER_DATA_DIR: dataDirWith(adminToken),
    };
    const { code, stderr } = await new FakeTerminal(env).run("flag", "list", "horizon");
    expect(code).toBe(3);
    expect(stderr).toContain("wants its admin token: no bearer token");
  });

  it("is asked for when there is none", async () => {
    const { url } = await openFakeAdmin();
    const dataDir = temporaryDirectory();
    const env = { HEADWATER_ADMIN_URL: url, HEADWATER_DATA_DIR: dataDir };
    const { code, stderr } = await new FakeTerminal(env).run("flag", "list", "horizon");
    expect(code).toBe(3);
    expect(stderr).toContain(`Set HEADWATER_ADMIN_TOKEN to what the node keeps in its ${dataDir}`);
  });

  it("says so when it can not be read", async () => {
    const dataDir = temporaryDirectory();
    mkdirSync(join(dataDir, "admin.token"));
    const { code, stderr } = await new FakeTerminal({ HEADWATER_DATA_DIR: dataDir }).run("status");
    expect(code).toBe(3);
    expect(stderr).toContain(`error: cannot read ${join(dataDir, "admin.token")}`);
    expect(stderr).toContain("hint: Run this as the user that the node runs as");
  });
});

describe("a node", () => {
  it("that is not there ends the command with 3, and says how to start one", async () => {
    const admin = await openFakeAdmin();
    await admin.close();
    const { code, stderr } = await admin.terminal.run("status");
    expect(code).toBe(3);
    expect(stderr).toContain(`error: cannot reach the node at ${admin.url}: nothing listens there`);
    expect(stderr).toContain("hint: Start one with `headwater node`");
  });

  it("that is something else is told from one", async () => {
    const server = createServer((_request, response) => response.writeHead(404).end("not found"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { code, stderr } = await new FakeTerminal({ HEADWATER_ADMIN_URL: url }).run("status");
    expect(code).toBe(3);
    expect(stderr).toContain(`what listens at ${url} is no admin port`);
    expect(stderr).toContain("hint: Set HEADWATER_ADMIN_URL");
  });

  it("that is behind a proxy which answers for it is told from one that answers", async () => {
    const server = createServer((request, response) =>
      response
        .writeHead(request.url?.startsWith("/bad/") === true ? 502 : 200, {
          "content-type": "text/html",
        })
        .end("<html></html>"),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (const url of [at, `${at}/bad`]) {
      const { code, stderr } = await new FakeTerminal({ HEADWATER_ADMIN_URL: url }).run("status");
      expect(code).toBe(3);
      expect(stderr).toContain(`what listens at ${url} does not answer as a node does`);
      expect(stderr).toContain("a proxy between here and there");
    }
  });

  it("that does not speak TLS, though it is asked to, is told in words", async () => {
    const { url } = await openTestApps();
    const plain = url.replace("http:", "https:");
    const none = await new FakeTerminal({ HEADWATER_ADMIN_URL: plain }).run("status");
    expect(none.code).toBe(3);
    expect(none.stderr).toContain(`error: what listens at ${plain} does not speak TLS\n`);
    expect(none.stderr).toContain("hint: Write http:// in HEADWATER_ADMIN_URL");
  });

  it("that is asked at its port for apps, or for nodes, is told from one", async () => {
    const { url } = await openTestApps();
    const apps = await new FakeTerminal({ HEADWATER_ADMIN_URL: url }).run("status");
    expect(apps.code).toBe(3);
    expect(apps.stderr).toContain(`what listens at ${url} is no admin port`);
    const mesh = createTcpServer((socket) => socket.once("data", () => socket.resetAndDestroy()));
    await new Promise<void>((resolve) => mesh.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void mesh.close());
    const meshUrl = `http://127.0.0.1:${(mesh.address() as AddressInfo).port}`;
    const { code, stderr } = await new FakeTerminal({ HEADWATER_ADMIN_URL: meshUrl }).run("status");
    expect(code).toBe(3);
    expect(stderr).toContain(`what listens at ${meshUrl} has ended the connection`);
    expect(stderr).toContain("hint: Set HEADWATER_ADMIN_URL");
  });
});

it("settings with problems are told all together, before anything is sent", async () => {
  const env = {
    HEADWATER_ADMIN_ULR: "http://a.example",
    HEADWATER_ADMIN_URL: "a.example:7702",
    HEADWATER_DATA_DIR: "/data\r",
  };
  expect(await new FakeTerminal(env).run("flag", "kill", "horizon/a")).toEqual({
    code: 2,
    stdout: "",
    stderr:
      "error: wrong settings\n" +
      "  HEADWATER_ADMIN_ULR: no such setting: did you mean HEADWATER_ADMIN_URL?\n" +
      '  HEADWATER_ADMIN_URL: "a.example:7702" is no address of the kind: write http://host:port\n' +
      '  HEADWATER_DATA_DIR: "/data\\r" begins or ends with white space: write it without',
  });
});
