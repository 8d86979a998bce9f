import type { Answer } from "./experiment.ts";
import type { Findings } from "./laboratory.ts";

/** The findings as docs/privacy.md shows them. */
export function tablesOf({ scale, answers, hops, zeroDates, sendTimes }: Findings): string {
  const names = [...new Set(answers.map(({ experiment }) => experiment))];
  const rows = names.map((name) => {
    const of = (level: string): Answer | undefined =>
      answers.find((one) => one.experiment === name && one.level === level);
    const any = answers.find((one) => one.experiment === name);
    return [
      name,
      (any?.sizes ?? []).join(", "),
      percent(any?.chance),
      ...["ROUNDED", "PANEL", "MODAL"].map((level) => cell(of(level))),
    ];
  });
  return [
    table(
      ["what a parent watches", "sizes", "chance", "rounded", "panel, 100-or-more", "under-100"],
      rows,
    ),
    `Share of sites whose size the best of three attackers named; ${scale.training} sites of each ` +
      `size to learn from, ${scale.attacked} others attacked. In brackets where it is in 95 of 100 ` +
      "such runs, then the bound; *can not exceed* is worked out, for every attacker there is.",
    table(
      ["vendors", "sites each", "samples", "bias, points", "95 % are within, points"],
      hops.map(({ vendorsCount, sitesCount, samplesCount, bias, p95 }) =>
        [vendorsCount, sitesCount, samplesCount, bias.toFixed(2), p95.toFixed(2)].map(String),
      ),
    ),
    `Documents of ${sendTimes.sitesCount} sites with one secret, of 1 to 1000 instances, quiet or ` +
      `restless: ${sendTimes.documentsCount} documents were sent at ${sendTimes.listsCount} list of ` +
      "times, so neither size nor events can be told from when.",
    table(
      ["average delay, days", "window, days", "windows begin", "bits"],
      zeroDates.map(({ delayDays, windowDays, anchored, bits }) =>
        [
          delayDays,
          windowDays,
          anchored ? "with the question" : "with the calendar",
          bits.toFixed(3),
        ].map(String),
      ),
    ),
  ].join("\n\n");
}

function cell(answer: Answer | undefined): string {
  if (answer === undefined) return "";
  const { accuracy, most, interval, ceiling } = answer;
  const [low, high] = interval.map((share) => Math.round(100 * share));
  const bound = most === undefined || most >= 1 ? "" : `; bound ${percent(most)}`;
  const worked = ceiling === undefined ? "" : `; can not exceed ${percent(ceiling)}`;
  return `${percent(accuracy)} (${low}–${high}${bound}${worked})`;
}

function percent(share: number | undefined): string {
  return share === undefined
    ? ""
    : `${(100 * share).toFixed(share * 100 === Math.round(share * 100) ? 0 : 1)} %`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}
