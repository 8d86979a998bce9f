import type { Command } from "commander";
import { levelWords, type PanelTier } from "../../config/panel-tier.ts";
import { addCommand, answer, type CommandContext, type CommonOptions } from "../command.ts";
import { exitCode } from "../exit-code.ts";
import { formatJson } from "../output.ts";
import { disclosureLevel, tierOption } from "./disclosure-option.ts";

interface DiscloseOptions extends CommonOptions {
  readonly upstream?: string;
  readonly tier: PanelTier;
}

export function addTelemetryDiscloseCommand(parent: Command, context: CommandContext): void {
  addCommand(parent, {
    name: "disclose",
    summary: "choose how much is said upstream",
    details:
      "off sends nothing; exact sends shares and counts; rounded sends shares to the nearest 5 " +
      "%, which does not hide how many instances there are; panel hides it: it sends what a " +
      "secret 20 of 100-or-more instances do, or for a smaller site only its most common " +
      "release. The choice is kept, and goes before HEADWATER_DISCLOSURE. Look first with " +
      "`preview`.",
    examples: [
      "headwater telemetry disclose panel --tier 100-or-more",
      "headwater telemetry disclose off --upstream openstack",
    ],
  })
    .argument("<LEVEL>", "off, exact, rounded or panel")
    .addOption(tierOption())
    .option("--upstream <UPSTREAM>", "only to this upstream; else to each there is now")
    .action(
      answer(context, async (text: string, options: DiscloseOptions) => {
        const { terminal } = context;
        const level = disclosureLevel(text, options.tier);
        const { upstreams, cautions } = await context
          .admin()
          .fleet.setDisclosure({ level, upstream: options.upstream ?? "" });
        if (options.json) terminal.print(formatJson({ level, upstreams, cautions }));
        else {
          terminal.print(`disclosure to ${upstreams.join(", ")} is ${levelWords(level)}`);
          for (const caution of cautions) terminal.print(caution);
        }
        return exitCode.done;
      }),
    );
}
