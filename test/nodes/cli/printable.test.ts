import { styleText } from "node:util";
import { expect, test } from "vitest";
import { printable } from "../../../nodes/cli/printable.ts";

test("what a terminal would obey is shown, and text, lines and our colours stay", () => {
  const title = "\x1b]0;owned\x07\x1b[2J\x1b[1;1H\x9b2J\rgone\x7f";
  expect(printable(title)).toBe(
    "\\u001b]0;owned\\u0007\\u001b[2J\\u001b[1;1H\\u009b2J\\u000dgone\\u007f",
  );
  const red = styleText("red", "off", { validateStream: false });
  expect(printable(`naïve\t✓\n${red}`)).toBe(`naïve\t✓\n${red}`);
});

test("JSON stays the same JSON", () => {
  const value = { note: "\x1b[2J\x9b2J\x7f\r\n" };
  expect(JSON.parse(printable(JSON.stringify(value)))).toEqual(value);
});
