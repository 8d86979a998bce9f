import { isIn } from "../../relay/flag/bucket.ts";
import { NodeProcess } from "../demo/node-process.ts";
import { ShareProgram } from "./share-program.ts";
import type { Toolchain } from "./toolchain.ts";

const flag = "new-scheduler";
const project = "horizon";
const instances = Array.from({ length: 100 }, (_, index) => `i-${index}`);

/** One of the programs under way, and on how many of its instances the flag is at a share. */
interface Onlooker {
  readonly program: ShareProgram;
  readonly onCountAt: (basisPoints: number) => number;
}

/**
 * Lets a program of every resolver look on while a flag is ramped and killed, and its node goes and
 * comes again. Each says exactly how many of its instances are on.
 * @param say gets what an operator types, and what a program says to it
 */
export async function drill(of: {
  toolchain: Toolchain;
  say: (line: string) => void;
}): Promise<void> {
  const { toolchain, say } = of;
  const command = await toolchain.install();
  await using node = await NodeProcess.start("upstream");
  const type = async (...args: string[]): Promise<void> => {
    say(`$ headwater ${args.join(" ")}`);
    await node.do(args);
  };
  await node.do(["init", project]);
  await type("flag", "set", `${project}/${flag}`, "10%");
  await using programs = new AsyncDisposableStack();
  const onlookers = resolutionsOf(toolchain).map(({ resolver, selector, onCountAt }): Onlooker => {
    const program = new ShareProgram({ command, apps: node.apps, resolver, selector });
    return { program: programs.use(program), onCountAt };
  });
  const expectShare = async (basisPoints: number): Promise<void> => {
    const [first] = await Promise.all(
      onlookers.map(({ program, onCountAt }) => program.says(onCountAt(basisPoints))),
    );
    say(first ?? "");
  };
  await expectShare(1_000);
  await type("flag", "set", `${project}/${flag}`, "50%");
  await expectShare(5_000);
  await type("flag", "kill", `${project}/${flag}`);
  await expectShare(0);
  say("# the node is killed, and started again");
  await node.kill();
  await node.restart();
  await type("flag", "set", `${project}/${flag}`, "100%");
  await type("flag", "revive", `${project}/${flag}`);
  await expectShare(10_000);
}

interface Resolution {
  readonly resolver: "rpc" | "in-process";
  readonly selector: string;
  readonly onCountAt: Onlooker["onCountAt"];
}

/** Who buckets by another rule resolves in process what the node has bucketed for its instance. */
function resolutionsOf({ bucketsOtherwise }: Toolchain): Resolution[] {
  const onCountAt = (basisPoints: number): number =>
    instances.filter((instance) => isIn({ flag, instance, basisPoints })).length;
  const instance = instances.find(
    (one) =>
      isIn({ flag, instance: one, basisPoints: 5_000 }) &&
      !isIn({ flag, instance: one, basisPoints: 1_000 }),
  );
  const all = { selector: project, onCountAt };
  const one = {
    selector: `flagSetId=${project},instance=${instance}`,
    onCountAt: (basisPoints: number) => (basisPoints >= 5_000 ? instances.length : 0),
  };
  return [
    { resolver: "rpc", ...all },
    { resolver: "in-process", ...(bucketsOtherwise ? one : all) },
  ];
}
