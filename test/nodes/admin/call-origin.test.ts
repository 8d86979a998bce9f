import type { HandlerContext } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { admittedKey, originOf } from "../../../nodes/admin/call-origin.ts";
import { HeadwaterError } from "../../../nodes/error.ts";
import { actorLengthMax, commitLengthMax } from "../../../relay/limits.ts";

const context = {
  values: { get: (key: unknown) => (key === admittedKey ? { token: "ci" } : "192.0.2.1") },
  requestHeader: new Headers(),
} as unknown as HandlerContext;

test.each([
  ["actor", actorLengthMax],
  ["commit", commitLengthMax],
])("who asks says a word of so many characters as %s, and no longer one", (field, most) => {
  const longest = "x".repeat(most);
  expect(originOf(context, { [field]: longest })).toMatchObject({ [field]: longest, token: "ci" });
  const refusal = new HeadwaterError({
    kind: "invalid",
    message: `${field}: ${most + 1} characters; at most ${most} are allowed`,
  });
  expect(() => originOf(context, { [field]: `${longest}x` })).toThrow(refusal);
});
