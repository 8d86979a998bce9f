import type { Answer } from "./experiment.ts";
import { bitsMax, type Findings, isBounded } from "./laboratory.ts";

/** The findings as docs/privacy.md shows them, or a part of them. */
export function tablesOf(found: Partial<Findings>): string {
  const { answers, hops, zeroDates, sendTimes, verdicts, census, hostile } = found;
  return [
    ...(answers === undefined ? [] : [answersTable(answers)]),
    ...(found.scale === undefined ? [] : [answersNote(found.scale, answers)]),
    ...(hops === undefined ? [] : [hopsTable(hops)]),
    ...(sendTimes === undefined ? [] : [sendTimesNote(sendTimes)]),
    ...(zeroDates === undefined ? [] : [zeroDatesTable(zeroDates)]),
    ...(hostile === undefined ? [] : [hostileNote(hostile)]),
    ...(census === undefined ? [] : [censusTable(census)]),
    ...(verdicts === undefined ? [] : [verdictsTable(verdicts)]),
  ].join("\n\n");
}

function answersTable(answers: Findings["answers"]): string {
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
  return table(
    ["what a parent watches", "sizes", "chance", "rounded", "panel, 100-or-more", "under-100"],
    rows,
  );
}

function answersNote(
  { training, attacked }: Findings["scale"],
  answers: Findings["answers"] = [],
): string {
  const sizes = Math.max(...answers.map(({ bytesCount }) => bytesCount));
  return (
    `Share of sites whose size the best of three attackers named; ${training} sites of each size ` +
    `to learn from, ${attacked} others attacked. In brackets where it is in 95 of 100 such runs, ` +
    "then the bound; *can not exceed* is worked out, for every attacker there is. Documents of one " +
    `level and one vocabulary had ${sizes === 1 ? "one size" : `up to ${sizes} sizes`} (bound one).`
  );
}

function hopsTable(hops: Findings["hops"]): string {
  return table(
    ["vendors", "sites each", "samples", "bias, points (1)", "95 % are within, points (3)"],
    hops.map(({ vendorsCount, sitesCount, samplesCount, bias, p95 }) =>
      [vendorsCount, sitesCount, samplesCount, bias.toFixed(2), p95.toFixed(2)].map(String),
    ),
  );
}

function sendTimesNote({ sitesCount, documentsCount, listsCount }: Findings["sendTimes"]): string {
  return (
    `Documents of ${sitesCount} sites with one secret, of 1 to 1000 instances, quiet or restless: ` +
    `${documentsCount} documents were sent at ${listsCount} list of times, so neither size nor ` +
    "events can be told from when."
  );
}

function zeroDatesTable(zeroDates: Findings["zeroDates"]): string {
  return table(
    ["average delay, days", "window, days", "windows begin", "bits"],
    zeroDates.map((one) => {
      const { delayDays, windowDays, anchored, bits } = one;
      const begins = anchored ? "with the question" : "with the calendar";
      const bound = isBounded(one) ? ` (bound ${bitsMax})` : "";
      return [delayDays, windowDays, begins, `${bits.toFixed(3)}${bound}`].map(String);
    }),
  );
}

function hostileNote({ stringsCount, leaksCount }: Findings["hostile"]): string {
  return (
    `Apps said ${stringsCount} strings that the project has never published, as versions, flags, ` +
    `features, crashes and names: ${leaksCount} of what left or was kept, at any level, had one in ` +
    "it (bound 0)."
  );
}

function censusTable({
  runsCount,
  USED,
  UNKNOWN,
  UNUSED,
  falselyUnused,
  unheardUnused,
}: Findings["census"]): string {
  return table(
    [
      "censuses",
      "used",
      "unknown",
      "unused",
      "unused and was used",
      "unused, and nobody heard who used it",
    ],
    [[runsCount, USED, UNKNOWN, UNUSED, `${falselyUnused} (bound 0)`, unheardUnused].map(String)],
  );
}

function verdictsTable(verdicts: Findings["verdicts"]): string {
  const rows = verdicts.map(({ what, runsCount, share, interval: [low, high], least, most }) => {
    const [said, from, to] = [share, low, high].map((one) => (100 * one).toFixed(2));
    return [what, String(runsCount), `${said} % (${from}–${to})`, boundary(least, most)];
  });
  return table(["at a site of 5000 instances", "runs", "is BAD", "bound"], rows);
}

function boundary(least: number | undefined, most: number | undefined): string {
  if (least !== undefined) return `at least ${percent(least)}`;
  return most === undefined ? "" : `at most ${percent(most)}`;
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
