import Table from "cli-table3";
import { formatFingerprint } from "../config/fingerprint.ts";
import type { Terminal } from "./terminal.ts";

/** Columns without lines between them; cells may be coloured. Without rows there is only a head. */
export function formatTable(of: {
  head: readonly string[];
  rows: readonly (readonly string[])[];
  terminal: Pick<Terminal, "paint">;
}): string {
  const table = new Table({
    head: of.head.map((title) => of.terminal.paint("dim", title.toUpperCase())),
    chars: noLines,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 2 },
  });
  table.push(...of.rows.map((cells) => [...cells]));
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

/** `1 flag`, `2 flags`. */
export function formatCount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * One JSON value over several lines. Messages of the protocol are taken as they are: authorities as
 * fingerprints, other bytes in hexadecimal, 64-bit numbers as numbers.
 */
export function formatJson(value: unknown): string {
  return JSON.stringify(value, plain, 2);
}

/** The same on one line, for streams. */
export function formatJsonLine(value: unknown): string {
  return JSON.stringify(value, plain);
}

function plain(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
  // What the protobuf runtime keeps with a message.
  if (key === "$typeName" || key === "$unknown") return undefined;
  // A Buffer has turned itself into something else by the time it is `value`.
  const held = this[key];
  if (held instanceof Uint8Array)
    return key === "authority" ? formatFingerprint(held) : Buffer.from(held).toString("hex");
  if (key === "overlays" && Array.isArray(held)) return held.map(formatFingerprint);
  return typeof value === "bigint" ? Number(value) : value;
}

const noLines = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "",
};
