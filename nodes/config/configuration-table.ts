import { appOptions } from "./app-options.ts";
import { nodeOptions } from "./node-options.ts";
import { operatorOptions } from "./operator-options.ts";
import type { Option } from "./option.ts";

/** Every setting as Markdown: a table each for apps, nodes and operators. */
export function configurationTable(): string {
  return [
    tableOf("for apps", Object.values<Option<unknown>>(appOptions)),
    tableOf("for nodes", Object.values<Option<unknown>>(nodeOptions)),
    tableOf("for operators", Object.values<Option<unknown>>(operatorOptions)),
  ].join("\n");
}

function tableOf(audience: string, options: readonly Option<unknown>[]): string {
  const rows = options.map((option) => [
    `\`${option.variable}\``,
    defaultOf(option),
    option.sentence,
    `\`${option.example}\``,
  ]);
  const lines = [[audience, "default", "", "example"], ["---", "---", "---", "---"], ...rows];
  return `${lines.map((cells) => `| ${cells.map(escaped).join(" | ")} |`).join("\n")}\n`;
}

function defaultOf(option: Option<unknown>): string {
  return option.otherwise ?? (option.default === undefined ? "" : `\`${option.default}\``);
}

function escaped(cell: string): string {
  return cell.replaceAll("|", "\\|");
}
