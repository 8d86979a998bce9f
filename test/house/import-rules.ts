import { posix } from "node:path";
import { parseSync, Visitor } from "oxc-parser";
import type { SourceFile } from "./source-tree.ts";

interface Rule {
  /** The file or folder (ending in a slash) that the rule is about. The first that fits counts. */
  of: string;
  /** Files and folders that it may import besides its own folder. */
  may: readonly string[];
  /** Libraries that it may import, subpaths included; SQLite is one although Node ships it. */
  packages: readonly string[];
  /** The only modules of Node that it may import; any, where not given. */
  builtins?: readonly string[];
}

const protobuf = "@bufbuild/protobuf";
const connect = "@connectrpc/connect";
const core = ["relay/", "gen/"];
/** What all parts of a process share: one file each, directly in `nodes/`. */
const shared = [
  "nodes/access.ts",
  "nodes/connect-node.ts",
  "nodes/error.ts",
  "nodes/listen-error.ts",
  "nodes/log.ts",
  "nodes/metric.ts",
  "nodes/software.ts",
  "nodes/sync-directory.ts",
];

/** Who may import whom. A folder of `nodes/` that is not named here may not exist. */
const rules: readonly Rule[] = [
  { of: "gen/", may: [], packages: [protobuf], builtins: [] },
  { of: "relay/", may: ["gen/"], packages: [protobuf], builtins: ["node:crypto"] },

  part("mesh", {
    packages: ["@grpc/grpc-js", "@peculiar/asn1-schema", "@peculiar/asn1-x509"],
  }),
  part("apps", { may: ["nodes/http/"], packages: [connect] }),
  part("fanout", { may: ["nodes/config/nats-address.ts"], packages: ["nats"] }),
  part("store", { packages: ["node:sqlite"] }),
  part("admin", {
    may: ["nodes/http/", "nodes/dashboard/"],
    packages: [connect, "prom-client"],
  }),
  part("http", { packages: [connect] }),
  {
    of: "nodes/dashboard/page/",
    may: ["gen/", "relay/flag/"],
    packages: [protobuf, connect, "@connectrpc/connect-web", "preact"],
    builtins: [],
  },
  part("dashboard", { may: ["nodes/http/"], packages: ["rolldown"] }),
  part("config", { packages: ["commander", "smol-toml", "yaml", "zod"] }),
  {
    of: "nodes/cli/node.ts",
    may: ["nodes/", ...core],
    packages: ["commander"],
  },
  {
    of: "nodes/cli/",
    may: [
      "gen/",
      "relay/flag/",
      "relay/trust/",
      "relay/ledger/",
      "relay/limits.ts",
      "relay/cadence.ts",
      "relay/duration.ts",
      "relay/quoted.ts",
      "nodes/config/",
      "nodes/admin/client.ts",
      ...shared,
    ],
    packages: [protobuf, connect, "cli-table3", "commander", "smol-toml", "yaml", "zod"],
  },
  { of: "nodes/main.ts", may: ["nodes/", ...core], packages: [protobuf] },
  {
    of: "nodes/node-names.ts",
    may: ["nodes/config/", "nodes/store/", ...core, ...shared],
    packages: [],
  },
  { of: "nodes/node-files.ts", may: ["nodes/", ...core], packages: [protobuf] },
  { of: "nodes/driver.ts", may: ["nodes/", ...core], packages: [] },
  { of: "nodes/connect-node.ts", may: [], packages: ["@connectrpc/connect-node"] },
  { of: "nodes/error.ts", may: core, packages: [connect] },
  { of: "nodes/listen-error.ts", may: ["nodes/error.ts"], packages: [] },
  {
    of: "nodes/log.ts",
    may: [...core, ...shared, "nodes/lasting-stream.ts"],
    packages: ["pino", "pino-pretty"],
  },
  { of: "nodes/lasting-stream.ts", may: core, packages: [] },
  { of: "nodes/sparing-log.ts", may: [...core, ...shared], packages: [] },
  { of: "nodes/access.ts", may: core, packages: [protobuf] },
  { of: "nodes/metric.ts", may: [], packages: [] },
  { of: "nodes/software.ts", may: [], packages: [] },
  { of: "nodes/sync-directory.ts", may: [], packages: [] },

  {
    of: "sdk/openfeature-web.ts",
    may: ["sdk/"],
    packages: ["@openfeature/web-sdk"],
    builtins: [],
  },
  {
    of: "sdk/openfeature/",
    may: ["sdk/", "relay/flag/"],
    packages: ["@openfeature/core", "@openfeature/server-sdk"],
    builtins: [],
  },
  {
    of: "sdk/",
    may: ["gen/", "relay/flag/", "relay/telemetry/stack-signature.ts"],
    packages: [protobuf, connect, "@connectrpc/connect-web"],
  },
];

function part(name: string, own: Partial<Pick<Rule, "may" | "packages">>): Rule {
  return {
    of: `nodes/${name}/`,
    may: [...core, ...shared, ...(own.may ?? [])],
    packages: [protobuf, ...(own.packages ?? [])],
  };
}

/** What a file imports against the rules, a line each. */
export function importProblems(file: SourceFile): string[] {
  const rule = rules.find(({ of }) => isWithin(file.path, of));
  if (rule === undefined) return [`${file.path}: no rule says what it may import`];
  return importsOf(file).flatMap((specifier) => {
    const verdict = judge(file.path, specifier, rule);
    return verdict === undefined ? [] : [`${file.path} imports ${specifier}: ${verdict}`];
  });
}

function judge(from: string, specifier: string, rule: Rule): string | undefined {
  if (specifier.startsWith(".")) {
    const target = posix.join(posix.dirname(from), specifier);
    const may = rule.of.endsWith("/") ? [rule.of, ...rule.may] : rule.may;
    const isAllowed = may.some((allowed) => isWithin(target, allowed));
    return isAllowed ? undefined : `${rule.of} may import ${listed(may)}`;
  }
  const isBuiltin = specifier.startsWith("node:") && specifier !== "node:sqlite";
  if (isBuiltin && rule.builtins === undefined) return undefined;
  const libraries = isBuiltin ? (rule.builtins ?? []) : rule.packages;
  const isAllowed = libraries.some((name) => isPackage(specifier, name));
  return isAllowed ? undefined : `${rule.of} may import ${listed(libraries)}`;
}

function isPackage(specifier: string, name: string): boolean {
  return specifier === name || specifier.startsWith(`${name}/`);
}

function isWithin(path: string, allowed: string): boolean {
  return allowed.endsWith("/") ? path.startsWith(allowed) : path === allowed;
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "nothing of that kind" : names.join(", ");
}

/** Every module a file names: imports, re-exports, types, and imports at run time. */
function importsOf({ path, text }: SourceFile): string[] {
  const { module, program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  const specifiers = module.staticImports.map(({ moduleRequest }) => moduleRequest.value);
  for (const { entries } of module.staticExports) {
    specifiers.push(...entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []));
  }
  for (const { moduleRequest } of module.dynamicImports) {
    specifiers.push(
      text.slice(moduleRequest.start, moduleRequest.end).replace(/^["'`]|["'`]$/g, ""),
    );
  }
  new Visitor({
    TSImportType: ({ source }) => {
      specifiers.push(source.value);
    },
  }).visit(program);
  return specifiers;
}
