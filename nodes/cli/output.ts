import Table from "cli-table3";
import { formatFingerprint } from "../config/fingerprint.ts";
import type { Terminal } from "./terminal.ts";

/** Laying a table out takes the square of its rows. */
const rowsAtOnce = 64;

/** Columns without lines between them; cells may be coloured. Without rows there is only a head. */
export function formatTable(of: {
  head: readonly string[];
  rows: readonly (readonly string[])[];
  terminal: Pick<Terminal, "paint">;
}): string {
  const head = of.head.map((title) => of.terminal.paint("dim", title.toUpperCase()));
  const pieces = piecesOf(of.rows).map((rows, at) => ({ head: at === 0 ? head : [], rows }));
  const widths = pieces.length === 1 ? [] : widthsOf(pieces);
  return pieces
    .flatMap((piece) => tableOf(piece, widths).toString().split("\n"))
    .map((line) => line.trimEnd())
    .join("\n");
}

interface Piece {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

function piecesOf(rows: Piece["rows"]): Piece["rows"][] {
  const count = Math.max(1, Math.ceil(rows.length / rowsAtOnce));
  return Array.from({ length: count }, (_, at) =>
    rows.slice(at * rowsAtOnce, (at + 1) * rowsAtOnce),
  );
}

/** How wide each column has to be for all of the pieces. */
function widthsOf(pieces: readonly Piece[]): number[] {
  const widths: number[] = [];
  for (const piece of pieces) {
    const table = tableOf(piece, []);
    table.toString();
    for (const [at, width] of table.options.colWidths.entries())
      widths[at] = Math.max(widths[at] ?? 0, width ?? 0);
  }
  return widths;
}

/** With no widths each column is as wide as what is in it. */
function tableOf({ head, rows }: Piece, widths: readonly number[]): Table.Table {
  const table = new Table({
    head: [...head],
    colWidths: [...widths],
    chars: noLines,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 2 },
  });
  table.push(...rows.map((cells) => [...cells]));
  return table;
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
