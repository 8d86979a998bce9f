import type { Answer } from "./experiment.ts";
import type { Findings } from "./laboratory.ts";

const levels = [
  { level: "ROUNDED", words: "rounded", color: "#c2410c" },
  { level: "PANEL", words: "panel, 100-or-more", color: "#1d4ed8" },
  { level: "MODAL", words: "panel, under-100", color: "#0f766e" },
] as const;

const dashes = 'stroke="#111111" stroke-dasharray="2 2"';
const labelWidth = 230;
const scaleWidth = 420;
const barHeight = 9;
const rowGap = 12;
const headHeight = 40;

/** The answers as bars, each with the line of who only guesses: an SVG for docs/privacy.md. */
export function pictureOf({ answers }: Findings): string {
  const names = [...new Set(answers.map(({ experiment }) => experiment))];
  const parts: string[] = [];
  let y = headHeight;
  for (const name of names) {
    const group = answers.filter(({ experiment }) => experiment === name);
    parts.push(rowOf(name, group, y));
    y += group.length * (barHeight + 2) + rowGap;
  }
  const [width, height] = [labelWidth + scaleWidth + 60, y];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    legend(),
    ...parts,
    "</svg>\n",
  ].join("\n");
}

function legend(): string {
  const entries = levels.map(({ words, color }, n) => {
    const x = labelWidth + n * 140;
    return `<rect x="${x}" y="12" width="10" height="10" fill="${color}"/><text x="${x + 14}" y="21">${words}</text>`;
  });
  const x = labelWidth + levels.length * 140 - 30;
  const guessing = `<line x1="${x}" x2="${x}" y1="9" y2="25" ${dashes}/><text x="${x + 6}" y="21">guessing</text>`;
  return `<text x="8" y="21" font-weight="bold">how often a size was named</text>${entries.join("")}${guessing}`;
}

function rowOf(name: string, group: readonly Answer[], y: number): string {
  const height = group.length * (barHeight + 2);
  const chance = labelWidth + (group[0]?.chance ?? 0) * scaleWidth;
  const bars = group.map(({ level, accuracy }, n) => {
    const color = levels.find((one) => one.level === level)?.color ?? "#000000";
    const top = y + n * (barHeight + 2);
    const end = labelWidth + accuracy * scaleWidth;
    return (
      `<rect x="${labelWidth}" y="${top}" width="${(accuracy * scaleWidth).toFixed(1)}" height="${barHeight}" fill="${color}"/>` +
      `<text x="${(end + 4).toFixed(1)}" y="${top + barHeight}" font-size="9">${Math.round(100 * accuracy)} %</text>`
    );
  });
  const line = `<line x1="${chance}" x2="${chance}" y1="${y - 3}" y2="${y + height + 1}" ${dashes}/>`;
  return `<text x="8" y="${y + barHeight}">${name}</text>${bars.join("")}${line}`;
}
