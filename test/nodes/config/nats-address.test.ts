import { expect, test } from "vitest";
import { type NatsProblem, parseNatsUrl } from "../../../nodes/config/nats-address.ts";

test.for([
  ["nats://nats.example:4333", ["nats.example:4333"]],
  ["nats://nats.example", ["nats.example:4222"]],
  ["nats.example", ["nats.example:4222"]],
  ["10.0.0.7:4333", ["10.0.0.7:4333"]],
  ["nats://[2001:db8::7]:4333", ["[2001:db8::7]:4333"]],
  ["[2001:db8::7]", ["[2001:db8::7]:4222"]],
  ["one:1, nats://two:2,tls://three", ["one:1", "two:2", "three:4222"]],
] as const)("%s is at %j", ([url, servers]) => {
  expect(parseNatsUrl(url)).toMatchObject({ servers, credentials: { by: "nothing" } });
});

test.for([
  ["nats://node:secret@a", { by: "password", user: "node", password: "secret" }],
  ["nats://no%40de:se%3Acret@a", { by: "password", user: "no@de", password: "se:cret" }],
  ["node:secret@a:4333", { by: "password", user: "node", password: "secret" }],
  ["nats://to%2Fken@a", { by: "token", token: "to/ken" }],
  ["nats://a,nats://node:secret@b,nats://other:other@c", { user: "node" }],
] as const)("%s has credentials", ([url, credentials]) => {
  expect(parseNatsUrl(url)).toMatchObject({ credentials });
});

test("TLS is asked for by the scheme", () => {
  expect(parseNatsUrl("tls://a")).toMatchObject({ tls: true });
  expect(parseNatsUrl("nats://a,tls://b")).toMatchObject({ tls: true });
  expect(parseNatsUrl("nats://a")).toMatchObject({ tls: false });
});

test.for([
  ["", "is no address of a NATS server"],
  ["nats://", "is no address of a NATS server"],
  ["nats://a:port", "is no address of a NATS server"],
  ["one,,two", "is no address of a NATS server"],
  ["https://node:secret@a", "starts with https://"],
  ["nats://node:sec%ret@a", "has a %"],
] as const)("%j is refused, with what to write instead", ([url, why]) => {
  const { problem } = parseNatsUrl(url) as NatsProblem;
  expect(problem).toMatch(why);
  expect(problem).toMatch("write nats://host:4222");
  expect(problem).not.toMatch("sec");
});
