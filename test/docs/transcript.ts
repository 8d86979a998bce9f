/** A line that somebody types at a prompt, and what is printed; `…` stands for anything. */
export interface Step {
  readonly who: string;
  readonly command: string;
  readonly output: string;
}

/** The steps of all transcripts of a page: `who$ command`, then what it prints. */
export function stepsOf(page: string): Step[] {
  const blocks = [...page.matchAll(/```console\n([\s\S]*?)```/g)].map(([, block = ""]) => block);
  return blocks.flatMap((block) =>
    block.split(/^(?=\w+\$ )/m).map((part) => {
      const [, who = "", command = "", output = ""] = /^(\w+)\$ (.*)\n([\s\S]*)$/.exec(part) ?? [];
      return { who, command, output };
    }),
  );
}

/** Spaces may be more of them, as columns are as wide as what is in them. */
export function isPrinted(output: string, expected: string): boolean {
  const parts = expected.trimEnd().split("…");
  const pattern = parts
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/ +/g, " +"))
    .join("[\\s\\S]*");
  return new RegExp(`^${pattern}\\s*$`).test(output);
}
