import { describe, expect, test } from "vitest";
import { plainRequest } from "../../../nodes/http/plain-request.ts";

const usual = ["host: node", "content-type: application/connect+proto", "content-length: 4"];

function requestOf(
  of: { line?: string; headers?: readonly string[]; body?: string; end?: string } = {},
): Buffer {
  const { line = "POST /a.Service/Call?b=c HTTP/1.1", headers = usual, body = "\0\u00ff\r\n" } = of;
  const head = [line, ...headers].join(of.end ?? "\r\n");
  return Buffer.from(`${head}\r\n\r\n${body}`, "latin1");
}

describe("a plain request", () => {
  test("is read with what it says", () => {
    const request = plainRequest(
      requestOf({ headers: [...usual, "Connection:Keep-Alive", "X-Any: \t a b \t"] }),
    );
    expect(request).toEqual({
      method: "POST",
      url: "/a.Service/Call?b=c",
      headers: {
        host: "node",
        "content-type": "application/connect+proto",
        "content-length": "4",
        connection: "Keep-Alive",
        "x-any": "a b",
      },
      body: Buffer.from([0, 0xff, 13, 10]),
    });
  });

  test.each<[string, Buffer]>([
    ["nothing", Buffer.alloc(0)],
    ["not whole", requestOf().subarray(0, -1)],
    ["only a head", requestOf({ body: "" })],
    ["followed by another", Buffer.concat([requestOf(), requestOf()])],
    ["of HTTP/1.0", requestOf({ line: "POST / HTTP/1.0" })],
    ["of HTTP/2", Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")],
    ["for a proxy", requestOf({ line: "POST http://node/ HTTP/1.1" })],
    ["with two spaces", requestOf({ line: "POST  / HTTP/1.1" })],
    ["with bare line feeds", requestOf({ end: "\n" })],
    ["without a host", requestOf({ headers: usual.slice(1) })],
    ["without a length", requestOf({ headers: usual.slice(0, 2) })],
    ["with a length written otherwise", requestOf({ headers: ["host: a", "content-length: +4"] })],
    ["with two lengths", requestOf({ headers: [...usual, "Content-Length: 4"] })],
    ["with two hosts", requestOf({ headers: [...usual, "HOST: node"] })],
    ["in chunks", requestOf({ headers: [...usual, "transfer-encoding: chunked"] })],
    ["that waits to go on", requestOf({ headers: [...usual, "expect: 100-continue"] })],
    ["that asks for another protocol", requestOf({ headers: [...usual, "upgrade: h2c"] })],
    ["that names what is its connection's", requestOf({ headers: [...usual, "connection: a"] })],
    ["of a page", requestOf({ headers: [...usual, "origin: https://example.org"] })],
    ["compressed", requestOf({ headers: [...usual, "content-encoding: gzip"] })],
    ["with a space before a colon", requestOf({ headers: [...usual, "a : b"] })],
    ["with a folded line", requestOf({ headers: [...usual, "a: b", " c"] })],
    ["with a line that is no header", requestOf({ headers: [...usual, "a"] })],
    ["with a control character", requestOf({ headers: [...usual, "a: b\0c"] })],
    ["with text that is not ASCII", requestOf({ headers: [...usual, "a: \u00e9"] })],
    [
      "with a head that is too long",
      requestOf({ headers: [...usual, `a: ${"b".repeat(17_000)}`] }),
    ],
  ])("is none when it is %s", (_, bytes) => {
    expect(plainRequest(bytes)).toBeUndefined();
  });
});
