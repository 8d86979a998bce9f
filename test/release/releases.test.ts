import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { cli, joinProcess, NodeProcess } from "../../scripts/demo/node-process.ts";
import { ReleasedProgram, releases } from "./released-program.ts";

const flag = { project: "horizon", flag: "new-scheduler" };

describe.each(releases)("with release %s", (version) => {
  let old: ReleasedProgram;

  beforeAll(() => {
    old = new ReleasedProgram(version);
  });
  afterAll(() => old?.[Symbol.dispose]());

  // Of each link one end is old: the old parent has a new child, the new parent an old one.
  test("at both ends and this one between: flags go down, and what is durable is told up", async () => {
    const nodes: NodeProcess[] = [];
    try {
      for (const [n, program] of [old.path, cli, old.path].entries()) {
        const node = await NodeProcess.start(`hop-${n}`, {}, program);
        const parent = nodes.at(-1);
        nodes.push(node);
        if (parent === undefined) await node.do(["init", "horizon"]);
        else await joinProcess(parent, node);
      }
      const [root, last] = [nodes[0], nodes.at(-1)];
      if (root === undefined || last === undefined) throw new Error("no nodes");
      const answers = (reason: string) =>
        eventually(
          `the last answers ${reason}`,
          async () => (await last.evaluate(flag)).reason === reason,
          40_000,
        );
      await root.do(["flag", "set", "horizon/new-scheduler", "100%"]);
      await answers("FULL");
      for (const parent of nodes.slice(0, -1))
        await eventually(`the child of ${parent.name} has confirmed it`, async () => {
          const status = JSON.parse(await parent.do(["status", "--json"])) as ShownStatus;
          return status.children?.[0]?.positions?.[0]?.newest === true;
        });
      await root.kill();
      await root.restart();
      await root.do(["flag", "kill", "horizon/new-scheduler"]);
      await answers("KILLED");
      for (const node of nodes) expect(node.stderr).not.toMatch(/"level":"error"|frame-refused/);
    } finally {
      for (const node of nodes.reverse()) await node[Symbol.asyncDispose]();
    }
  });

  test("a data directory of the release goes on with this one", async () => {
    await using node = await NodeProcess.start("root", {}, old.path);
    await node.do(["init", "horizon"]);
    await node.do(["flag", "set", "horizon/new-scheduler", "100%"]);
    const position = await positionOf(node);
    await node.kill("SIGTERM");
    node.program = cli;
    await node.restart();
    expect(await positionOf(node)).toEqual(position);
    expect((await node.evaluate(flag)).reason).toBe("FULL");
    await node.do(["flag", "kill", "horizon/new-scheduler"]);
    expect((await node.evaluate(flag)).reason).toBe("KILLED");
  });
});

test("a release is kept to be tried against", () => {
  expect(releases).toContain("0.1.0");
});

interface ShownStatus {
  readonly children?: readonly { readonly positions?: readonly { readonly newest?: boolean }[] }[];
  readonly projects?: readonly { readonly layers?: readonly { readonly position?: unknown }[] }[];
}

async function positionOf(node: NodeProcess): Promise<unknown> {
  const status = JSON.parse(await node.do(["status", "--json"])) as ShownStatus;
  return status.projects?.[0]?.layers?.[0]?.position;
}
