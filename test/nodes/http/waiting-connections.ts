import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Whether the system lets so many connections wait at one port. */
export function systemLetsWait(count: number): boolean {
  try {
    return Number(readFileSync("/proc/sys/net/core/somaxconn", "utf8")) > count;
  } catch {
    return false;
  }
}

/** How many of so many that dial at once are connected while this process, where the port is, does nothing. */
export function connectedWhileBusy(address: string, count: number): number {
  const dialer = fileURLToPath(new URL("dial-at-once.mjs", import.meta.url));
  const { stdout } = spawnSync(process.execPath, [dialer, address, `${count}`]);
  return Number(stdout.toString());
}
