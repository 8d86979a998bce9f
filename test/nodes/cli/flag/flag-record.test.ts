import { expect, test } from "vitest";
import { parseFlagFile } from "../../../../nodes/cli/file/flag-file.ts";
import { openFakeAdmin } from "../fake-admin.ts";

test("flag list --json is a flag file of all that a flag file can say", async () => {
  const { terminal, ledger } = await openFakeAdmin();
  const text = JSON.stringify({
    project: "horizon",
    flags: { a: { percent: 5, kill: "<2", note: "see" } },
    releases: ["1.0"],
    features: ["old-api"],
    crashes: ["0123abcd"],
    aliases: { "1.0-1.el9": "1.0" },
    libraries: { oslo: `sha256:${"ab".repeat(32)}` },
  });
  const parsed = parseFlagFile({ path: "f", text });
  if (!("file" in parsed)) throw new Error(parsed.problems.join("\n"));
  for (const { key, value } of parsed.file.entries) ledger.entries.set(key, value);
  const listed = (await terminal.run("flag", "list", "horizon", "--json")).stdout;
  expect(JSON.parse(listed)).toEqual(JSON.parse(text));
});
