import { describe, expect, test } from "vitest";
import { type ConnectOptions, type Environment, readSettings } from "../../sdk/settings.ts";

describe("settings", () => {
  test("have defaults for all but the project", () => {
    expect(readSettings({ project: "horizon" }, {})).toEqual({
      project: "horizon",
      version: "",
      instance: undefined,
      dependencies: [],
      urls: ["http://127.0.0.1:7700"],
      isReporting: true,
      cacheFile: undefined,
      waitMs: 2_000,
    });
  });

  test("come from the environment where the app says nothing", () => {
    const environment = {
      HEADWATER_URL: " http://one:1 ,https://two:2,",
      HEADWATER_PROJECT: "horizon",
      HEADWATER_VERSION: "2.3.0",
      HEADWATER_INSTANCE: "i-1",
    };
    expect(readSettings({}, environment)).toMatchObject({
      project: "horizon",
      version: "2.3.0",
      instance: "i-1",
      urls: ["http://one:1", "https://two:2"],
    });
    const options = { project: "nova", version: "1", instance: "i-2", url: ["http://three:3"] };
    expect(readSettings(options, environment)).toMatchObject({
      project: "nova",
      version: "1",
      instance: "i-2",
      urls: ["http://three:3"],
    });
  });

  test("that are empty in the environment are none", () => {
    const environment = { HEADWATER_URL: "", HEADWATER_INSTANCE: "", HEADWATER_TELEMETRY: "" };
    expect(readSettings({ project: "horizon" }, environment)).toEqual(
      readSettings({ project: "horizon" }, {}),
    );
  });
});

test.each<[boolean, ConnectOptions, Environment]>([
  [true, {}, {}],
  [true, { telemetry: "on" }, { HEADWATER_TELEMETRY: "ON", DO_NOT_TRACK: "0" }],
  [true, {}, { DO_NOT_TRACK: "false" }],
  [false, { telemetry: "off" }, { HEADWATER_TELEMETRY: "on" }],
  [false, { telemetry: "on" }, { HEADWATER_TELEMETRY: "off" }],
  [false, {}, { HEADWATER_TELEMETRY: "none" }],
  [false, { telemetry: "on" }, { DO_NOT_TRACK: "1" }],
  [false, {}, { DO_NOT_TRACK: "true" }],
])("reporting is %s with %j and %j", (isReporting, options, environment) => {
  expect(readSettings({ project: "horizon", ...options }, environment)).toMatchObject({
    isReporting,
  });
});

test.each<[string, ConnectOptions]>([
  ["no project: give connect() one, or set HEADWATER_PROJECT", { project: "" }],
  ['project "a b" is no name', { project: "a b" }],
  ['project "7" is no name', { project: 7 as never }],
  [`version "${"1".repeat(60)}…" is longer than 100`, { version: "1".repeat(101) }],
  ['version "2.1" is no text', { version: 2.1 as never }],
  ["instance is empty", { instance: "" }],
  ["is longer than 200", { instance: "i".repeat(201) }],
  ["more than 16 nodes", { url: Array.from({ length: 17 }, () => "http://one:1") }],
  ['node "one:1" is no address: write it like http://one:1', { url: "one:1" }],
  ['node "ftp://one" is no address: write it like http://127.0.0.1:7700', { url: "ftp://one" }],
  ['http://one:1/?key=1" has a query', { url: "http://one:1/?key=1" }],
  ['http://one:1/#top" has a query or a fragment', { url: "http://two:1,http://one:1/#top" }],
  [
    "more than 200 dependencies",
    { dependencies: Object.fromEntries(Array.from({ length: 201 }, (_, at) => [`p${at}`, "1"])) },
  ],
  ["waitMs NaN is no time", { waitMs: Number.NaN }],
  ["waitMs -1 is no time", { waitMs: -1 }],
  ["is no time", { waitMs: Number.POSITIVE_INFINITY }],
])("refuses, saying %s", (problem, options) => {
  const read = () => readSettings({ project: "horizon", ...options }, {});
  expect(read).toThrow(TypeError);
  expect(read).toThrow(problem);
});
