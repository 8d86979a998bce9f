// Builds programs of others from the sources that their registries have. Each answers what went
// wrong, or undefined.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { readStep, runStep } from "../../step.mjs";
import { peersDir } from "./peer-program.ts";

/**
 * Of a thousand packages or five hundred crates, most of an hour on a machine that is busy. A build
 * that is stopped goes on from there the next time.
 */
const buildMsMax = 3_600_000;

/** Its module has replacements that lie beside it, so it cannot be built where it is kept. */
export function buildEtcd(): string | undefined {
  const dir = join(peersDir, "etcd");
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "go.mod"), "module peer\n");
  const options = { cwd: dir, timeout: buildMsMax };
  return (
    runStep("go", ["get", "go.etcd.io/etcd/server/v3@v3.6.13"], options) ??
    runStep("go", ["build", "-o", binaryOf("etcd"), "go.etcd.io/etcd/server/v3"], options)
  );
}

export function buildFlagd(): string | undefined {
  const built = buildModule({
    module: "github.com/open-feature/flagd/flagd@v0.16.1",
    file: "flagd",
  });
  return withHint(built, "https://github.com/open-feature/flagd/releases", "FLAGD_BIN");
}

export function buildFlagdProxy(): string | undefined {
  const built = buildModule({
    module: "github.com/open-feature/flagd/flagd-proxy@v0.9.7",
    file: "flagd-proxy",
  });
  return withHint(built, "https://github.com/open-feature/flagd/releases", "FLAGD_PROXY_BIN");
}

export function buildGoFeatureFlag(): string | undefined {
  const built = buildModule({
    module: "github.com/thomaspoignant/go-feature-flag@v1.55.2",
    package: "./cmd/relayproxy",
    file: "go-feature-flag",
  });
  const releases = "https://github.com/thomaspoignant/go-feature-flag/releases";
  return withHint(built, releases, "GO_FEATURE_FLAG_BIN");
}

/**
 * A later one streams only with crates whose license is not open. It shows its API with Swagger UI,
 * which its build would download; a crate has it as well.
 */
export function buildUnleashEdge(): string | undefined {
  const dir = join(peersDir, "unleash-edge");
  const swagger = swaggerUi(dir);
  if ("reason" in swagger) return swagger.reason;
  const env = {
    SWAGGER_UI_DOWNLOAD_URL: swagger.url,
    CARGO_TARGET_DIR: join(dir, "target"),
    ...process.env,
  };
  const which = ["unleash-edge@19.15.1", "--locked", "--no-default-features", "--root", peersDir];
  const reason = runStep("cargo", ["install", ...which], { env, timeout: buildMsMax });
  if (reason === undefined) rmSync(dir, { recursive: true, force: true });
  return withHint(reason, "https://github.com/Unleash/unleash-edge/releases", "UNLEASH_EDGE_BIN");
}

function swaggerUi(parent: string): { url: string } | { reason: string } {
  const dir = join(parent, "swagger-ui");
  const name = "utoipa-swagger-ui-vendored";
  const manifest = `[package]\nname = "peer"\nedition = "2024"\n[dependencies]\n${name} = "=0.1.2"\n`;
  mkdirSync(join(dir, "src"), { recursive: true });
  writeFileSync(join(dir, "Cargo.toml"), manifest);
  writeFileSync(join(dir, "src", "lib.rs"), "");
  const reason = runStep("cargo", ["vendor", "--quiet", "vendor"], { cwd: dir });
  if (reason !== undefined) return { reason };
  const resources = join(dir, "vendor", name, "res");
  const file = readdirSync(resources).find((entry) => entry.endsWith(".zip"));
  if (file === undefined) return { reason: `${name} has no Swagger UI in it` };
  return { url: pathToFileURL(join(resources, file)).href };
}

/**
 * Where Go keeps the module, and as the main one: only so are its own replacements and its sums
 * taken. Not every module proxy has it.
 */
function buildModule(of: { module: string; package?: string; file: string }): string | undefined {
  const options = { cwd: peersDir, timeout: buildMsMax };
  const missing = runStep("go", ["mod", "download", of.module], options);
  if (missing !== undefined) return missing;
  const kept = readStep("go", ["list", "-m", "-f", "{{.Dir}}", of.module], options);
  if (kept.reason !== undefined) return kept.reason;
  const cwd = kept.output.trim();
  const env = { ...process.env, CGO_ENABLED: "0" };
  const args = ["build", "-mod=readonly", "-o", binaryOf(of.file), of.package ?? "."];
  return runStep("go", args, { ...options, cwd, env });
}

function binaryOf(file: string): string {
  return join(peersDir, "bin", file);
}

function withHint(reason: string | undefined, from: string, variable: string): string | undefined {
  if (reason === undefined) return undefined;
  return `${reason}\n  hint: put one of ${from} on the PATH, or name it in ${variable}`;
}
