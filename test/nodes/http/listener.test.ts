import { request } from "node:http";
import { constants } from "node:http2";
import { request as requestTls } from "node:https";
import { text } from "node:stream/consumers";
import { describe, expect, test, vi } from "vitest";
import type { HttpHandler, HttpResponse } from "../../../nodes/http/http-handler.ts";
import { headerBytesMax } from "../../../relay/limits.ts";
import { bodyOf, openHttp2 } from "./http2-call.ts";
import { wideFrames } from "./http2-frames.ts";
import { openHeld, openLocal } from "./local-listener.ts";
import { localhostCertificate as tls } from "./localhost-certificate.ts";
import { openRaw } from "./raw-connection.ts";

const within = { timeout: 20_000, interval: 5 };
const getRoot = "GET / HTTP/1.1\r\nhost: node\r\n\r\n";

describe("one port", () => {
  test("speaks HTTP/1.1 and HTTP/2, whoever comes first", async () => {
    const { address } = await openLocal();
    const session = await openHttp2(`http://${address}`);
    expect(await (await fetch(`http://${address}/`)).text()).toBe("HTTP/1.1");
    expect(await bodyOf(session.request({ ":path": "/" }))).toBe("HTTP/2.0");
    expect(await bodyOf(session.request({ ":path": "/" }))).toBe("HTTP/2.0");
    session.close();
  });

  test("tells them apart however few bytes come at a time", async () => {
    const { address } = await openLocal();
    const slow = await openRaw(address);
    for (const byte of "PRI * HTTP/1.1\r\nhost: node\r\n\r\n") {
      slow.socket.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await vi.waitFor(() => expect(slow.heard()).toContain("400 Bad Request"), within);

    const preface = await openRaw(address);
    for (const byte of "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") {
      preface.socket.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const settingsFrame = "\0\0\0\x04\0\0\0\0\0";
    preface.socket.write(settingsFrame, "latin1");
    // Its first frame is SETTINGS too: type 4 on stream 0.
    await vi.waitFor(() => expect(preface.heard().charCodeAt(3)).toBe(4), within);
    preface.socket.destroy();
  });

  test("loses a connection that is reset without harm", async () => {
    const { address } = await openLocal();
    const silent = await openRaw(address);
    silent.socket.resetAndDestroy();
    const asking = await openRaw(address);
    asking.socket.write("POST / HTTP/1.1\r\nhost: node\r\ncontent-length: 10\r\n\r\n1");
    asking.socket.resetAndDestroy();
    expect(await (await fetch(`http://${address}/`)).text()).toBe("HTTP/1.1");
  });

  test("speaks both over TLS, by ALPN", async () => {
    const { address } = await openLocal({ tls });
    const session = await openHttp2(`https://${address}`, {
      ca: tls.cert,
      servername: "localhost",
    });
    expect(session.alpnProtocol).toBe("h2");
    expect(await bodyOf(session.request({ ":path": "/" }))).toBe("HTTP/2.0");
    session.close();
    const answer = await new Promise<string>((resolve, reject) => {
      const options = { ca: tls.cert, servername: "localhost" };
      requestTls(`https://${address}/`, options, (response) => resolve(text(response)))
        .once("error", reject)
        .end();
    });
    expect(answer).toBe("HTTP/1.1");
  });

  test("shows the port that it really is", async () => {
    const { address } = await openLocal({ address: "localhost:0" });
    expect(address).toMatch(/^localhost:[1-9]\d*$/);
    expect(await (await fetch(`http://${address}/`)).text()).toBe("HTTP/1.1");
  });
});

describe("deadlines", () => {
  test("cut a connection that says nothing", async () => {
    const { address } = await openLocal({ deadlines: { firstBytesMs: 20 } });
    const silent = await openRaw(address);
    await silent.closed;
    expect(silent.heard()).toBe("");
  });

  test("cut a TLS connection that says nothing", async () => {
    const { address } = await openLocal({ tls, deadlines: { firstBytesMs: 20 } });
    const silent = await openRaw(address);
    await silent.closed;
    expect(silent.heard()).toBe("");
  });

  test("cut a request whose headers do not come", async () => {
    const { address } = await openLocal({ deadlines: { headersMs: 20, requestMs: 20 } });
    const slow = await openRaw(address);
    slow.socket.write("GET / HTTP/1.1\r\nhost:");
    await slow.closed;
    expect(slow.heard()).toContain("408 Request Timeout");
  });

  test("cut a request whose body does not come, in both versions", async () => {
    const { address } = await openLocal({
      handler: (incoming, response) => {
        incoming.resume();
        incoming.once("end", () => response.end());
      },
      deadlines: { headersMs: 20, requestMs: 20 },
    });
    const slow = await openRaw(address);
    slow.socket.write("POST / HTTP/1.1\r\nhost: node\r\ncontent-length: 10\r\n\r\n1");
    await slow.closed;
    const session = await openHttp2(`http://${address}`);
    const stream = session.request({ ":path": "/", ":method": "POST" });
    stream.on("error", () => undefined);
    stream.write("1");
    await new Promise((resolve) => stream.once("close", resolve));
    expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
    session.destroy();
  });

  test("end connections on which nothing is in progress, in both versions", async () => {
    const { address } = await openLocal({ deadlines: { silenceMs: 20 } });
    const idle = await openRaw(address);
    idle.socket.write(getRoot);
    await idle.closed;
    expect(idle.heard()).toContain("HTTP/1.1 200");
    const session = await openHttp2(`http://${address}`);
    await new Promise((resolve) => session.once("close", resolve));
  });

  test("do not cut streams, however silent", async () => {
    const { address, streams } = await openHeld({
      firstBytesMs: 500,
      headersMs: 500,
      requestMs: 500,
      silenceMs: 500,
    });
    const first = await openRaw(address);
    first.socket.write(getRoot);
    const session = await openHttp2(`http://${address}`);
    const second = session.request({ ":path": "/" });
    const body = bodyOf(second);
    await vi.waitFor(() => expect(streams).toHaveLength(2), within);
    // Connections that say nothing are cut one after the other: the deadlines pass as often.
    for (let i = 0; i < 3; i++) await (await openRaw(address)).closed;
    for (const stream of streams) {
      stream.write("last");
      stream.end();
    }
    expect(await body).toBe("first last");
    await vi.waitFor(() => expect(first.heard()).toContain("last"), within);
    session.close();
  });

  test("cut streams that are not read, in both versions", async () => {
    const closed: string[] = [];
    const flood: HttpHandler = (incoming, response) => {
      response.once("close", () => closed.push(incoming.httpVersion));
      response.writeHead(200);
      const chunk = Buffer.alloc(1024 * 1024);
      const pump = (): void => {
        while (response.write(chunk));
        response.once("drain", pump);
      };
      pump();
    };
    const { address } = await openLocal({ handler: flood, deadlines: { silenceMs: 50 } });
    const first = await openRaw(address);
    first.socket.pause();
    first.socket.write(getRoot);
    await vi.waitFor(() => expect(closed).toEqual(["1.1"]), within);
    const session = await openHttp2(`http://${address}`);
    const second = session.request({ ":path": "/" });
    second.on("error", () => undefined);
    await vi.waitFor(() => expect(closed).toEqual(["1.1", "2.0"]), within);
    first.socket.destroy();
  });

  test("cut a stream that is not read, and none of those beside it", async () => {
    const { address, streams } = await openHeld({ silenceMs: 300 });
    const session = await openHttp2(`http://${address}`);
    session.setLocalWindowSize(1024 * 1024);
    const stalled = session.request({ ":path": "/" }).on("error", () => undefined);
    const beside = bodyOf(session.request({ ":path": "/" }));
    await vi.waitFor(() => expect(streams).toHaveLength(2), within);
    streams[0]?.write(Buffer.alloc(100_000));
    await vi.waitFor(() => expect(stalled.closed).toBe(true), within);
    streams[1]?.end("last");
    expect(await beside).toBe("first last");
    session.destroy();
  });

  test("cut all streams of a peer that takes nothing at all", async () => {
    const { address, streams } = await openHeld({ silenceMs: 300 });
    const raw = await openRaw(address);
    raw.socket.pause();
    raw.socket.write(wideFrames(["/a", "/b"]));
    await vi.waitFor(() => expect(streams).toHaveLength(2), within);
    const closed = new Promise((resolve) => streams[1]?.once("close", resolve));
    streams[0]?.write(Buffer.alloc(64 * 1024 * 1024));
    await closed;
    raw.socket.destroy();
  });
});

test("headers have so many bytes at most", async () => {
  const { address } = await openLocal();
  const headers = { "x-long": "x".repeat(headerBytesMax) };
  expect((await fetch(`http://${address}/`, { headers })).status).toBe(431);
});

describe("closing", () => {
  test("ends what is idle at once, and waits for what is in progress", async () => {
    const waiting: HttpResponse[] = [];
    const listener = await openLocal({
      handler: (_, response) => waiting.push(response),
      deadlines: { closeMs: 60_000 },
    });
    const silent = await openRaw(listener.address);
    const session = await openHttp2(`http://${listener.address}`);
    const asked = fetch(`http://${listener.address}/`);
    await vi.waitFor(() => expect(waiting).toHaveLength(1), within);
    const closed = listener.close();
    await silent.closed;
    await new Promise((resolve) => session.once("close", resolve));
    expect(listener.close()).toBe(closed);
    waiting[0]?.end("done");
    expect(await (await asked).text()).toBe("done");
    await closed;
    await expect(openRaw(listener.address)).rejects.toThrow("ECONNREFUSED");
  });

  test("follows the signal, and cuts at its deadline what does not end", async () => {
    const stop = new AbortController();
    const listener = await openLocal({
      handler: (_, response) => void response.write("never ends"),
      deadlines: { closeMs: 20 },
      signal: stop.signal,
    });
    const cut = new Promise<Error>((resolve) => {
      const asked = request(`http://${listener.address}/`, (response) => {
        response.once("error", resolve);
        response.resume();
        stop.abort();
      });
      asked.end();
    });
    expect((await cut).message).toBe("aborted");
    await listener.close();
  });
});
