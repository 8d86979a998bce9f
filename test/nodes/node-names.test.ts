import { expect, it } from "vitest";
import { HeadwaterError } from "../../nodes/error.ts";
import type { Log } from "../../nodes/log.ts";
import { type NodeNames, nodeNames } from "../../nodes/node-names.ts";
import { openStore, type Store } from "../../nodes/store/store.ts";
import { temporaryDirectory } from "./store/temporary-directory.ts";

const log: Log = { write: () => undefined };

/** A start on a data directory, on a host, with what is told; and what it says. */
function started(directory: string, hostName: string, told: Partial<NodeNames> = {}) {
  using store = openStore({ directory });
  const said: string[] = [];
  const config = { name: told.name, site: told.site, hostName };
  const saying: Log = { write: ({ message }) => said.push(message) };
  return { names: nodeNames({ config, store, log: saying }), said };
}

function start(...given: Parameters<typeof started>): NodeNames {
  return started(...given).names;
}

it("calls node and site as the host at the first start, and no other host renames them", () => {
  const directory = temporaryDirectory();
  expect(start(directory, "berlin")).toEqual({ name: "berlin", site: "berlin" });
  expect(start(directory, "f3a2b1c0d4e5")).toEqual({ name: "berlin", site: "berlin" });
});

it("calls the site as the node unless told", () => {
  expect(start(temporaryDirectory(), "h", { name: "a" })).toEqual({ name: "a", site: "a" });
  expect(start(temporaryDirectory(), "h", { site: "b" })).toEqual({ name: "h", site: "b" });
});

it("is called as it is told, and stays so where it is told no more", () => {
  const directory = temporaryDirectory();
  start(directory, "berlin");
  expect(start(directory, "berlin", { name: "a", site: "acme" })).toEqual({
    name: "a",
    site: "acme",
  });
  expect(start(directory, "elsewhere")).toEqual({ name: "a", site: "acme" });
  // A node that is replaced within its site stays in it.
  expect(start(directory, "elsewhere", { name: "b" })).toEqual({ name: "b", site: "acme" });
});

it("says what it is called as before, and only then", () => {
  const directory = temporaryDirectory();
  expect(started(directory, "berlin").said).toEqual([]);
  expect(started(directory, "berlin").said).toEqual([]);
  expect(started(directory, "elsewhere").said).toEqual([expect.stringContaining("node berlin of")]);
  // Whoever renames the node may take it that the site is called as it, as at a first start.
  expect(started(directory, "elsewhere", { name: "a" }).said).toEqual([
    expect.stringContaining("node a of site berlin"),
  ]);
  expect(started(directory, "elsewhere", { name: "a", site: "a" }).said).toEqual([]);
});

it("starts where nothing can be kept", () => {
  const full: Store = {
    load: () => [],
    get: () => undefined,
    list: () => [],
    write: () => {
      throw new HeadwaterError({ kind: "unavailable", message: "the disk is full" });
    },
    [Symbol.dispose]: () => undefined,
  };
  const config = { name: undefined, site: undefined, hostName: "berlin" };
  expect(nodeNames({ config, store: full, log })).toEqual({ name: "berlin", site: "berlin" });
});
