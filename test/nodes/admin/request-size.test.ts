import { expect, test } from "vitest";
import { adminRequestBytesMax } from "../../../relay/limits.ts";
import { openTestAdmin, token } from "./open-admin.ts";

test("an operator's request has so many bytes at most", async () => {
  const { url, access } = await openTestAdmin();
  access.answers.set("commit", () => ({ position: { term: 1, seq: 1 } }));
  const answerTo = async (bytes: number): Promise<string> => {
    const response = await fetch(`${url}/headwater.v1.LedgerService/Commit`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: '{"ledger":{"project":"horizon"}}'.padEnd(bytes),
    });
    return `${response.status} ${await response.text()}`;
  };
  expect(await answerTo(adminRequestBytesMax)).toMatch(/^200 /);
  expect(access.asked).toHaveLength(1);
  const refused = await answerTo(adminRequestBytesMax + 1);
  expect(refused).toMatch(/^429 .*resource_exhausted.*the body is longer than 4194304 bytes/);
  expect(access.asked).toHaveLength(1);
});
