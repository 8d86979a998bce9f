import type { Command } from "commander";
import { addCommand, answer, type CommandContext, type CommonOptions } from "./command.ts";
import { disclosureLevel } from "./disclosure-option.ts";
import { exitCode } from "./exit-code.ts";
import { formatJson } from "./output.ts";

interface DiscloseOptions extends CommonOptions {
  readonly upstream?: string;
}

export function addTelemetryDiscloseCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "disclose",
    summary: "choose how much is said upstream",
    details:
      "off sends nothing; exact sends shares and counts; rounded sends shares to the nearest 5 " +
      "%. The choice is kept, and goes before HEADWATER_DISCLOSURE. Look first with `preview`.",
    examples: [
      "headwater telemetry disclose rounded",
      "headwater telemetry disclose off --upstream openstack",
    ],
  })
    .argument("<LEVEL>", "off, exact or rounded")
    .option("--upstream <UPSTREAM>", "only to this upstream; else to each there is now")
    .action(
      answer(context, async (text: string, options: DiscloseOptions) => {
        const { terminal } = context;
        const level = disclosureLevel(text);
        const { upstreams } = await context
          .admin()
          .fleet.setDisclosure({ level, upstream: options.upstream ?? "" });
        if (options.json) terminal.print(formatJson({ level, upstreams }));
        else terminal.print(`disclosure to ${upstreams.join(", ")} is ${level.toLowerCase()}`);
        return exitCode.done;
      }),
    );
}
