import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { FlagdCore } from "@openfeature/flagd-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Service as EvaluationV1 } from "../../gen/flagd/evaluation/v1/evaluation_pb.ts";
import { Service as EvaluationV2 } from "../../gen/flagd/evaluation/v2/evaluation_pb.ts";
import { FlagSyncService } from "../../gen/flagd/sync/v1/sync_pb.ts";
import { FlagService } from "../../gen/headwater/v1/apps_pb.ts";
import { basisPointOf } from "../../relay/flag/bucket.ts";
import { flagdAnswer, flagdContext } from "../../relay/flag/flagd-answer.ts";
import { NodeProcess } from "../../scripts/demo/node-process.ts";
import { FlagTable } from "../../sdk/flag-table.ts";

const { percentages } = JSON.parse(
  readFileSync(join(import.meta.dirname, "rollout-percentages.json"), "utf8"),
) as { percentages: number[] };
const shares = new Map(percentages.map((percent) => [`share-${percent}`, percent * 100]));
const flags = [...shares.keys()];

/** Ids as they are met: numbered, host names, hashes. */
const instances = Array.from({ length: 100_000 }, (_, index) => {
  const kinds = [`i-${index}`, `rack${index % 97}-node${index}.example.org`, hashed(index)];
  return kinds[index % kinds.length] ?? "";
});
const silent = { error: ignore, warn: ignore, info: ignore, debug: ignore };

function ignore(): void {}

function hashed(index: number): string {
  return Math.imul(index, 2_654_435_761).toString(16).padStart(8, "0");
}

/** By the definition alone: the bucket of an instance against the share. */
function isOn(flag: string, instance: string): boolean {
  return basisPointOf({ flag, instance }) < (shares.get(flag) ?? 0);
}

/** The same of all instances, found once. */
const expected = instances.map((instance) => flags.map((flag) => isOn(flag, instance)));

/** Instances of which a path says otherwise, for any flag. */
function disagreeing(
  asked: readonly string[],
  answer: (flag: string, instance: string) => boolean | undefined,
): string[] {
  return asked.filter((instance, index) =>
    flags.some((flag, of) => answer(flag, instance) !== expected[index]?.[of]),
  );
}

describe("every share of a real history, by every way that an app may ask a node", () => {
  let node: NodeProcess;

  beforeAll(async () => {
    node = await NodeProcess.start("upstream");
    await node.do(["init", "horizon"]);
    const lines = percentages.map((percent) => `  share-${percent}: { percent: ${percent} }`);
    const file = join(node.directory, "flags.yaml");
    writeFileSync(file, ["project: horizon", "flags:", ...lines, ""].join("\n"));
    await node.do(["apply", "-f", file, "--yes"]);
  });

  afterAll(() => node[Symbol.asyncDispose]());

  const grpc = () => createGrpcTransport({ baseUrl: `http://${node.apps}` });

  async function tableOfApp(): Promise<FlagTable> {
    const transport = createConnectTransport({
      baseUrl: `http://${node.apps}`,
      httpVersion: "1.1",
    });
    const watch = createClient(FlagService, transport).watch({ project: "horizon" });
    for await (const { frame } of watch) {
      if (frame.case !== "table") continue;
      const table = new FlagTable();
      table.replace(frame.value);
      return table;
    }
    throw new Error("the stream ended without a table");
  }

  test("the SDK's table, and what answers Evaluate, for 100 000 instances", async () => {
    const table = await tableOfApp();
    expect([...table.flags]).toHaveLength(percentages.length);
    expect(disagreeing(instances, (flag, one) => table.decide(flag, one, false).enabled)).toEqual(
      [],
    );
  });

  test("flagd's in-process core with the set that is synchronised, for 100 000 instances", async () => {
    const core = new FlagdCore(undefined, silent);
    const { flagConfiguration } = await createClient(FlagSyncService, grpc()).fetchAllFlags({});
    core.setConfigurations(flagConfiguration);
    const answer = (flag: string, targetingKey: string): boolean =>
      core.resolveBooleanEvaluation(flag, false, { targetingKey }).value;
    expect(disagreeing(instances, answer)).toEqual([]);
  });

  test("what answers flagd's calls and OFREP, for 100 000 instances", async () => {
    const unknown = new Map([...(await tableOfApp()).flags].map((flag) => [flag.name, flag]));
    const byRelease = new Map(
      [...unknown].map(([name, flag]) => [name, { name, unknown: flag, releases: [] }]),
    );
    const answer = (flag: string, targetingKey: string): boolean =>
      flagdAnswer(byRelease.get(flag)!, flagdContext({ targetingKey })).value;
    expect(disagreeing(instances, answer)).toEqual([]);
  });

  test("OFREP and flagd's calls themselves, in bulk, for 200 instances", async () => {
    const asked = instances.slice(0, 200);
    const client = createClient(EvaluationV1, grpc());
    const byCall = new Map<string, Record<string, unknown>>();
    const byOfrep = new Map<string, Record<string, unknown>>();
    for (const targetingKey of asked) {
      const context = { targetingKey };
      const all = Object.entries((await client.resolveAll({ context })).flags);
      byCall.set(targetingKey, Object.fromEntries(all.map(([flag, of]) => [flag, of.value.value])));
      byOfrep.set(targetingKey, await ofrep(node.apps, context));
    }
    for (const answers of [byCall, byOfrep])
      expect(
        disagreeing(asked, (flag, one) => answers.get(one)?.[flag] as boolean | undefined),
      ).toEqual([]);
  });

  test("Evaluate and ResolveBoolean themselves, one by one, for 10 instances", async () => {
    const v2 = createClient(EvaluationV2, grpc());
    const own = createClient(FlagService, grpc());
    for (const instance of instances.slice(0, 10))
      for (const flag of flags) {
        const [resolved, evaluated] = await Promise.all([
          v2.resolveBoolean({ flagKey: flag, context: { instance, targetingKey: "another" } }),
          own.evaluate({ project: "horizon", flag, instance }),
        ]);
        const isExpected = isOn(flag, instance);
        expect([flag, instance, resolved.value, evaluated.enabled]).toEqual([
          flag,
          instance,
          isExpected,
          isExpected,
        ]);
      }
  });
});

async function ofrep(apps: string, context: object): Promise<Record<string, unknown>> {
  const response = await fetch(`http://${apps}/ofrep/v1/evaluate/flags`, {
    method: "POST",
    body: JSON.stringify({ context }),
  });
  const { flags: all } = (await response.json()) as { flags: { key: string; value: unknown }[] };
  return Object.fromEntries(all.map(({ key, value }) => [key, value]));
}
