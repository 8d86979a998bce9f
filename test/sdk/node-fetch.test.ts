import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { nodeFetch } from "../../sdk/node-fetch.ts";

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

describe("a call", () => {
  test("carries method, headers and body, and brings status, headers and body back", async () => {
    const url = await serve((request, response) => {
      response.writeHead(418, { "x-seen": [request.method, request.headers["x-asked"]].join() });
      request.pipe(response);
    });
    const response = await nodeFetch(url, {
      method: "POST",
      headers: new Headers({ "x-asked": "yes" }),
      body: new TextEncoder().encode("flags"),
    });
    expect(response.status).toBe(418);
    expect(response.headers.get("x-seen")).toBe("POST,yes");
    expect(await response.text()).toBe("flags");
  });

  test("that nobody takes fails with the reason", async () => {
    await expect(nodeFetch("http://127.0.0.1:9/")).rejects.toThrow("ECONNREFUSED");
    await expect(nodeFetch("nonsense")).rejects.toThrow("URL");
  });

  test.each([
    ["a status that none may have", "HTTP/1.1 999 What\r\n\r\n", "status"],
    ["no HTTP at all", "SSH-2.0-OpenSSH\r\n\r\n", "Expected HTTP"],
    ["nothing", "", "hang up"],
    ["another protocol", "HTTP/1.1 101 No\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n", "lost"],
  ])("that is answered with %s fails", async (_, answer, reason) => {
    const url = await serve((request) => request.socket.end(answer));
    await expect(nodeFetch(url)).rejects.toThrow(reason);
  });

  test("that is sent elsewhere is not made there, and says where that is", async () => {
    const url = await serve((_, response) =>
      response.writeHead(308, { location: "https://flags.example/headwater" }).end("moved"),
    );
    const call = nodeFetch(url, { method: "POST" });
    await expect(call).rejects.toThrow("308 to https://flags.example/headwater");
    const nowhere = await serve((_, response) => response.writeHead(302).end());
    expect((await nodeFetch(nowhere)).status).toBe(302);
  });

  test.each([
    ["in one piece, by who reads at once", ["all"], false],
    ["in one piece, by who reads later", ["all"], true],
    ["in pieces, by who reads at once", ["a", "l", "l"], false],
    ["in pieces, by who reads later", ["a", "l", "l"], true],
  ])("whose answer comes together with its end, %s, is heard whole", async (_, pieces, isLate) => {
    const url = await serve((_request, response) => {
      for (const piece of pieces) response.write(piece);
      response.end();
    });
    const response = await nodeFetch(url);
    if (isLate) await turn();
    expect(await response.text()).toBe("all");
  });

  test("that is answered without a body has none", async () => {
    const url = await serve((_, response) => response.writeHead(204).end());
    const response = await nodeFetch(url);
    expect([response.status, response.body]).toEqual([204, null]);
  });
});

describe("a stream", () => {
  test("is heard piece by piece, and is an error when it breaks off", async () => {
    let cut = (): void => {};
    const url = await serve((request, response) => {
      response.write("one");
      cut = () => request.socket.destroy();
    });
    const reader = (await nodeFetch(url)).body!.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("one");
    const next = reader.read();
    cut();
    await expect(next).rejects.toThrow("aborted");
  });

  test("ends with its signal, before and after the answer", async () => {
    const url = await serve((request, response) => {
      if (request.url === "/now") response.write("one");
    });
    const waiting = new AbortController();
    const unanswered = nodeFetch(url, { signal: waiting.signal });
    waiting.abort();
    await expect(unanswered).rejects.toThrow("abort");

    const reading = new AbortController();
    const answered = await nodeFetch(`${url}now`, { signal: reading.signal });
    const reader = answered.body!.getReader();
    await reader.read();
    const next = reader.read();
    reading.abort();
    await expect(next).rejects.toThrow("abort");
  });

  test.each([
    ["while there is more to read", false],
    ["after its end, which nobody has read", true],
  ])("is cancelled %s", async (_, hasEnded) => {
    const url = await serve((_request, response) => {
      response.write("one");
      response.write("two");
      if (hasEnded) response.end();
    });
    const response = await nodeFetch(url);
    await turn();
    const reader = response.body!.getReader();
    const first = reader.read();
    await reader.cancel();
    expect(new TextDecoder().decode((await first).value)).toBe("one");
    expect(await reader.closed).toBeUndefined();
    await turn();
  });

  test("comes whole, and ends on the server when it is cancelled", async () => {
    let isOver: Promise<unknown> | undefined;
    const bytesCount = 8 * 1024 * 1024;
    const url = await serve((_, response) => {
      isOver = new Promise((resolve) => response.on("close", resolve));
      response.write(new Uint8Array(bytesCount));
    });
    const reader = (await nodeFetch(url)).body!.getReader();
    let readCount = 0;
    while (readCount < bytesCount) readCount += (await reader.read()).value!.length;
    expect(readCount).toBe(bytesCount);
    await reader.cancel();
    await isOver;
  });
});
