import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { NodeProcess } from "../../scripts/demo/node-process.ts";

/** An address where dials are neither taken nor refused, as behind a firewall. */
async function silentAddress(): Promise<string> {
  const program =
    "const server = require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }," +
    " () => console.log(server.address().port))";
  const listener = spawn(process.execPath, ["--eval", program], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [port] = (await once(listener.stdout, "data")) as [Buffer];
  listener.kill("SIGSTOP");
  const waiting = Array.from({ length: 4 }, () => connect(Number(port), "127.0.0.1"));
  for (const socket of waiting) socket.on("error", () => {});
  onTestFinished(() => {
    for (const socket of waiting) socket.destroy();
    listener.kill("SIGKILL");
  });
  await once(waiting[0]!, "connect");
  return `127.0.0.1:${Number(port)}`;
}

test("a node that dials where nobody answers ends when it is told to", async () => {
  const upstream = await silentAddress();
  await using node = await NodeProcess.start("plant", { HEADWATER_UPSTREAMS: upstream });
  await eventually("it is told", () => node.stderr.includes("has not answered"), 30_000);
  const startedMs = performance.now();
  await node.kill("SIGTERM");
  expect(performance.now() - startedMs).toBeLessThan(10_000);
});
