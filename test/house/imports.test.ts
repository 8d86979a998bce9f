import { describe, expect, test } from "vitest";
import { importProblems } from "./import-rules.ts";
import { impurities } from "./purity.ts";
import { sourceFiles } from "./source-tree.ts";

const ruled = sourceFiles([".ts"]).filter(({ path }) => /^(gen|relay|nodes|sdk)\//.test(path));
const core = ruled.filter(({ path }) => path.startsWith("relay/"));

test("every import is one that its folder may make", () => {
  expect(ruled.flatMap(importProblems)).toEqual([]);
});

test("relay/ is a function of its inputs alone", () => {
  expect(core.flatMap(impurities)).toEqual([]);
});

describe("the import rules refuse", () => {
  test.each([
    ["relay/link/uplink.ts", `import { fail } from "../../nodes/error.ts";`],
    ["relay/link/uplink.ts", `import type { Server } from "@grpc/grpc-js";`],
    ["relay/link/uplink.ts", `import { readFileSync } from "node:fs";`],
    ["relay/flag/bucket.ts", `export { connect } from "../../sdk/index.ts";`],
    ["relay/flag/bucket.ts", `type Part = import("../../nodes/log.ts").Log;`],
    ["nodes/mesh/server.ts", `import { Store } from "../store/store.ts";`],
    ["nodes/mesh/server.ts", `import { connect } from "nats";`],
    ["nodes/fanout/nats.ts", `import { DatabaseSync } from "node:sqlite";`],
    ["nodes/store/store.ts", `import { createClient } from "better-sqlite3";`],
    ["gen/headwater/v1/flag_pb.ts", `import { join } from "node:path";`],
    ["nodes/apps/flag-service.ts", `const { Driver } = await import("../driver.ts");`],
    ["nodes/driver.ts", `import { pino } from "pino";`],
    ["nodes/cli/gate.ts", `import { gate } from "../../relay/rollout/gate.ts";`],
    ["nodes/cli/gate.ts", `import { Driver } from "../driver.ts";`],
    ["sdk/client.ts", `import { fold } from "../relay/layers/fold.ts";`],
    ["sdk/client.ts", `import "../nodes/error.ts";`],
    ["gen/headwater/v1/flag_pb.ts", `import { name } from "../../../relay/flag/name.ts";`],
    ["nodes/queue/queue.ts", `import { limits } from "../../relay/limits.ts";`],
  ])("%s with %s", (path, text) => {
    const problems = importProblems({ path, text });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(path);
  });
});

describe("the import rules let pass", () => {
  test.each([
    ["relay/link/uplink.ts", `import { createHash } from "node:crypto"; import "../limits.ts";`],
    ["relay/link/uplink.ts", `import { create } from "@bufbuild/protobuf"; import "./backoff.ts";`],
    ["nodes/store/store.ts", `import { DatabaseSync } from "node:sqlite"; import "node:fs";`],
    ["nodes/cli/node.ts", `import { main } from "../main.ts";`],
    ["sdk/client.ts", `import { bucket } from "../relay/flag/bucket.ts";`],
  ])("%s with %s", (path, text) => {
    expect(importProblems({ path, text })).toEqual([]);
  });
});

describe("purity refuses", () => {
  test.each([
    `const at = Date.now();`,
    `const at = new Date(0);`,
    `const chance = Math.random();`,
    `const chance = Math["random"]();`,
    `const { random } = Math;`,
    `setTimeout(tick, 1);`,
    `const home = process.env;`,
    `console.log("x");`,
    `const clock = performance.now();`,
    `const hidden = globalThis;`,
    `const tick = async () => 1;`,
    `const value = await tick();`,
    `for await (const frame of frames) use(frame);`,
    `let later: Promise<number>;`,
    `const lazy = import("./bucket.ts");`,
    `import { randomBytes } from "node:crypto";`,
    `import * as primitives from "node:crypto";`,
  ])("%s", (text) => {
    const path = "relay/flag/bucket.ts";
    expect(impurities({ path, text: `\n${text}` })).not.toEqual([]);
    expect(impurities({ path, text: `\n${text}` })[0]).toContain(`${path}:2 `);
  });
});

test("purity lets words in comments, strings and property names pass", () => {
  const text = `
    // A Promise of process and Date.
    export const event = { Date: 1, process: "console" };
    export const at = Math.floor(event.process);
    export interface Timer { setTimeout: number }
  `;
  expect(impurities({ path: "relay/flag/bucket.ts", text })).toEqual([]);
});
