import { writeFileSync } from "node:fs";
import { join } from "node:path";
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

  // Heads and beats say how many grants their writer knows: the release passes that on without reading it.
  test("between two of this one: grants and roots go through it before what is signed by who knows them", async () => {
    await using root = await NodeProcess.start("root");
    await using relay = await NodeProcess.start("relay", {}, old.path);
    await using leaf = await NodeProcess.start("leaf");
    await root.do(["init", "horizon"]);
    await joinProcess(root, relay);
    await joinProcess(relay, leaf);
    const file = (name: string): string => join(root.directory, name);
    const rootKey = file("config/headwater/horizon.root.key");
    const sign = async (...command: string[]): Promise<void> => {
      writeFileSync(file("old.trust"), await root.do(["keys", "export", "horizon"]));
      const keys = ["--trust", file("old.trust"), "--root-key", rootKey];
      writeFileSync(file("new.trust"), await root.do(["keys", ...command, ...keys]));
      await root.do(["keys", "import", "horizon", file("new.trust"), "--yes"]);
    };
    const overlay = `sha256:${"7".repeat(64)}`;
    const percents = ["100%", "0%", "100%"];
    for (const command of [["grant", "--overlay", overlay, "--pin-max", "1%"], ["rotate"], []]) {
      if (command.length > 0) await sign(...command);
      const percent = percents.shift() ?? "";
      await root.do(["flag", "set", "horizon/new-scheduler", percent]);
      const reason = percent === "0%" ? "OFF" : "FULL";
      await eventually(
        `the leaf answers ${reason}, and is fresh`,
        async () => {
          const answer = await leaf.evaluate(flag);
          return answer.reason === reason && answer.freshness === "FRESH";
        },
        40_000,
      );
      for (const node of [root, relay, leaf])
        expect(node.stderr).not.toMatch(/"level":"error"|frame-refused|knows of/);
      await leaf.kill();
      await leaf.restart();
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
