import { claim } from "./claim.ts";
import { headwater, type NodeProcess } from "./node-process.ts";
import { colorEnv, say } from "./say.ts";

/**
 * Types a command at a node, before the reader's eyes; its answer.
 * @param shown what the reader sees instead of the arguments, where those hold a secret or a path
 */
export async function typeAt(
  node: NodeProcess,
  args: readonly string[],
  shown: readonly string[] = args,
): Promise<string> {
  say.command(node.name, shown);
  const running = headwater(args, {
    env: { ...node.operatorEnv, ...colorEnv },
    cwd: node.directory,
  });
  const { code, stdout, stderr } = await say.during("running", running);
  claim(code === 0, `headwater ${shown.join(" ")} at ${node.name} ended with ${code}\n${stderr}`);
  return stdout;
}
