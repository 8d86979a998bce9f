import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { expect, test } from "vitest";
import { readConfig } from "../../nodes/config/config.ts";

const deploy = join(import.meta.dirname, "../../docs/deploy");
const textOf = (file: string): string => readFileSync(join(deploy, file), "utf8");

test("the settings of the service are a configuration", () => {
  const env = parseEnv(textOf("headwater.env"));
  expect(readConfig({ env, hostName: "host" })).toMatchObject({ config: { name: "node-1" } });
});

test("a service keeps its data where systemd lets it write, alone and as one of several", () => {
  const unit = textOf("headwater.service");
  const changes = unit.matchAll(/(?:^#|and) ((\w+=(?:HEADWATER_DATA_DIR=)?)[\w/%.@-]*[\w-])/gm);
  let template = unit;
  for (const [, change = "", name = ""] of changes)
    template = template.replace(new RegExp(`^${name}.*$`, "m"), change);
  for (const text of [unit, template]) {
    const [, written] = /^StateDirectory=(.+)$/m.exec(text) ?? [];
    expect(text).toContain(`\nEnvironment=HEADWATER_DATA_DIR=/var/lib/${written}\n`);
  }
  expect(template.match(/%i/g)).toHaveLength(6);
});

test("the settings of the image are a configuration, once it is told its address", () => {
  const [, block = ""] = /^ENV ((?:.*\\\n)*.*)$/m.exec(textOf("Containerfile")) ?? [];
  const env = Object.fromEntries(block.split(/[\\\s]+/).map((pair) => pair.split("=")));
  expect(Object.keys(env)).toHaveLength(4);
  const missing = readConfig({ env, hostName: "host" });
  expect(missing).toEqual({ problems: [expect.stringMatching("HEADWATER_MESH_ADVERTISE")] });
  const told = { ...env, HEADWATER_MESH_ADVERTISE: "flags.example.org:7701" };
  expect(readConfig({ env: told, hostName: "host" })).toMatchObject({
    config: { dataDir: "/data" },
  });
});

test("both run Node with the same options, and Node takes them", () => {
  const optionsOf = (file: string): unknown => /NODE_OPTIONS=(.+)$/m.exec(textOf(file))?.[1];
  const options = optionsOf("Containerfile");
  expect(options).toBe(optionsOf("headwater.service"));
  const env = { NODE_OPTIONS: String(options) };
  const { status, stderr } = spawnSync(process.execPath, ["-e", ""], { env, encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});

test("systemd takes the unit, where there is a systemd to ask", (context) => {
  const unit = join(deploy, "headwater.service");
  const { status, stderr, error } = spawnSync("systemd-analyze", ["verify", unit], {
    encoding: "utf8",
  });
  if (error !== undefined) return context.skip("no systemd-analyze here");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});
