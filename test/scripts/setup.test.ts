import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../nodes/store/temporary-directory.ts";

const scripts = join(import.meta.dirname, "../../scripts");

interface Said {
  readonly status: number | null;
  readonly stderr: string;
}

/** With nothing on the PATH but what is given. */
function run(script: string, env: Readonly<Record<string, string>>): Said {
  const { status, stderr } = spawnSync(process.execPath, [script], {
    env: { PATH: "", ...env },
    encoding: "utf8",
  });
  return { status, stderr };
}

/** A checkout whose npm only notes that it was asked; `installed` is what npm has noted before. */
function checkout(installed: string | undefined): { dir: string; env: Record<string, string> } {
  const dir = temporaryDirectory();
  cpSync(scripts, join(dir, "scripts"), {
    recursive: true,
    filter: (from) => !from.includes("bench"),
  });
  mkdirSync(join(dir, "nodes/cli"), { recursive: true });
  writeFileSync(join(dir, "nodes/cli/main.ts"), 'import "a-package-that-is-not-there";');
  writeFileSync(
    join(dir, "package-lock.json"),
    '{"packages":{"node_modules/a":{"version":"1.0.0"}}}',
  );
  mkdirSync(join(dir, "node_modules"));
  if (installed !== undefined)
    writeFileSync(join(dir, "node_modules/.package-lock.json"), installed);
  mkdirSync(join(dir, "bin"));
  const npm = `#!/bin/sh\necho asked > ${join(dir, "asked")}\nexit 1\n`;
  writeFileSync(join(dir, "bin/npm"), npm, { mode: 0o755 });
  return { dir, env: { PATH: join(dir, "bin") } };
}

test.for([
  { script: "setup.mjs", what: "a list that is cut off", installed: '{"packages":{"node_mod' },
  { script: "setup.mjs", what: "no list", installed: undefined },
  { script: "headwater.mjs", what: "no list", installed: undefined },
])(
  "$script: an installation that was interrupted and left $what is done anew",
  ({ script, installed }) => {
    const { dir, env } = checkout(installed);
    const { status, stderr } = run(join(dir, "scripts", script), env);
    expect(stderr).toContain("npm ci failed; its reason is above\n  hint: ");
    expect(status).toBe(1);
    expect(existsSync(join(dir, "asked"))).toBe(true);
  },
);

test.runIf(process.platform === "linux")(
  "where the cache of a user can not be written, that is the reason why there is no browser",
  () => {
    const file = join(temporaryDirectory(), "file");
    writeFileSync(file, "");
    const { status, stderr } = run(join(scripts, "chromium.mjs"), { XDG_CACHE_HOME: file });
    expect(stderr).toMatch(/^no chromium: .*\n$/);
    expect(stderr).toContain(file);
    expect(status).toBe(1);
  },
);

test.runIf(process.platform === "linux")(
  "what an unpacking left behind that was interrupted is removed by a later one",
  () => {
    const home = temporaryDirectory();
    const cache = join(home, "headwater");
    for (const name of ["unpack-former", "unpack-other"])
      mkdirSync(join(cache, name, "cache"), { recursive: true });
    const longAgo = new Date(Date.now() - 2 * 86_400_000);
    utimesSync(join(cache, "unpack-former"), longAgo, longAgo);
    const { stderr } = run(join(scripts, "chromium.mjs"), { XDG_CACHE_HOME: home });
    expect(stderr).toBe("no chromium: this machine has no apt-get\n");
    expect(readdirSync(cache)).toEqual(["unpack-other"]);
  },
);
