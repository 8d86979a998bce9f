import { ErrorCode, NatsError } from "nats";
import { expect, test } from "vitest";
import { natsProblem } from "../../../nodes/fanout/nats-problem.ts";

const servers = ["one:4222", "two:4222"];

test.for([
  [natsError(ErrorCode.ConnectionRefused), "can not be reached: nothing listens there"],
  [natsError(ErrorCode.AuthorizationViolation), "refuses this node: check the user and password"],
  [natsError(ErrorCode.AuthenticationExpired), "refuses this node: its user or account"],
  [natsError(ErrorCode.Timeout), "does not answer"],
  [natsError(ErrorCode.ServerOptionNotAvailable), "has no TLS"],
  [systemError("ECONNREFUSED"), "can not be reached: nothing listens there"],
  [systemError("ENOTFOUND"), "can not be reached: no such host name"],
  [systemError("EAI_AGAIN"), "can not be reached: no such host name"],
  [systemError("EHOSTUNREACH"), "can not be used: system says EHOSTUNREACH"],
  [new Error("self-signed certificate"), "can not be used: self-signed certificate"],
] as const)("%s is put as: %s", ([error, words]) => {
  expect(natsProblem(error, servers)).toContain(`NATS at one:4222, two:4222 ${words}`);
});

test("no error at all means that the connection just ended", () => {
  expect(natsProblem(undefined, servers)).toBe(
    "the connection to NATS at one:4222, two:4222 was lost",
  );
});

function natsError(code: ErrorCode): NatsError {
  return NatsError.errorForCode(code);
}

function systemError(code: string): Error {
  return Object.assign(new Error(`system says ${code}`), { code });
}
