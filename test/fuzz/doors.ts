import { readFileSync } from "node:fs";
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { createConnection } from "node:net";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { FlagSchema } from "../../gen/headwater/v1/flag_pb.ts";
import { openAdminClient } from "../../nodes/cli/admin-client.ts";
import { Random } from "../../relay/random.ts";
import { joinProcess, NodeProcess } from "../../scripts/demo/node-process.ts";
import { memoryOf } from "../hostile/scene.ts";
import { WatchingApp } from "../hostile/watching-app.ts";
import { type Answer, answerMsMax, type Door } from "./door.ts";
import { type DoorRequest, doorRequests, rawHttp2, rawRequest } from "./door-requests.ts";
import type { Finding } from "./fuzz-session.ts";
import { openMeshDoors } from "./mesh-doors.ts";
import { mutate } from "./mutator.ts";

/** Its part of all inputs: a request to a process costs more than a call. */
export const doorShare = 0.1;

export interface DoorOutcome {
  readonly door: string;
  readonly inputsCount: number;
  okCount: number;
  refusedCount: number;
  closedCount: number;
  tookMs: number;
}

export interface DoorsOutcome {
  readonly outcomes: readonly DoorOutcome[];
  readonly findings: readonly Finding[];
  /** What became of the node and of an honest app meanwhile. */
  readonly sentences: readonly string[];
}

const project = "horizon";

/** Inputs under way at the same time. */
const lanesCount = 8;

/** A root and a node below it that is attacked on every port, while an app watches a flag there. */
export async function runDoors(of: {
  inputsCount: number;
  seed: number;
  onProgress: (line: string) => void;
}): Promise<DoorsOutcome> {
  await using root = await NodeProcess.start("upstream");
  await using node = await NodeProcess.start("plant");
  await root.do(["init", project]);
  await joinProcess(root, node);
  const admin = openAdminClient(root.operatorEnv);
  let newest = 0;
  const commit = async (): Promise<number> => {
    newest++;
    const entries = ["a", "b"].map((name) => ({
      key: `flag/${name}`,
      value: toBinary(FlagSchema, create(FlagSchema, { name, basisPoints: newest, hash: 2 })),
    }));
    await admin.ledgers.commit({ ledger: { project }, entries, actor: "fuzz" });
    return newest;
  };
  using app = new WatchingApp({ apps: node.apps, node: "plant", project, newest: () => newest });
  await app.sees(await commit());
  const station = { process: node, admin: openAdminClient(node.operatorEnv) };
  const bytesBefore = memoryOf(station) ?? 0;
  const outcomes: DoorOutcome[] = [];
  const findings: Finding[] = [];
  const arrivalsMs: number[] = [];
  const readyMs: number[] = [];
  const honest = new AbortController();
  const watching = watchHonest({
    node,
    app,
    commit,
    arrivalsMs,
    readyMs,
    findings,
    signal: honest.signal,
  });
  using mesh = await openMeshDoors(node);
  for (const door of [...httpDoors(node), ...mesh.doors]) {
    const inputsCount = Math.ceil(of.inputsCount * door.share);
    outcomes.push(await runDoor({ ...of, door, inputsCount, findings }));
    of.onProgress(`ports: ${door.name} done, ${findings.length} findings`);
  }
  honest.abort();
  await watching;
  findings.push(...aftermath(node, app));
  const growth = Math.round(((memoryOf(station) ?? 0) - bytesBefore) / 2 ** 20);
  const sentences = [
    `an honest app meanwhile: ${arrivalsMs.length} changes, the slowest after ${Math.round(Math.max(0, ...arrivalsMs))} ms`,
    `/readyz meanwhile: ${readyMs.length} times right, the slowest answer after ${Math.round(Math.max(0, ...readyMs))} ms`,
    `the node's memory: ${growth} MiB more at the end`,
  ];
  return { outcomes, findings, sentences };
}

/** What the node says of itself afterwards: nothing went wrong inside, nothing was forged. */
function aftermath(node: NodeProcess, app: WatchingApp): Finding[] {
  const whats = [
    ...(node.isRunning ? [] : [`the node has ended: ${node.stderr.slice(-500)}`]),
    ...(node.stderr.match(/.*"(?:step-failed|call-failed|mesh-call-failed)".*/g) ?? []).slice(0, 3),
    ...app.breaches.map(({ what }) => `an app saw what is not so: ${what}`),
  ];
  return whats.map((what) => ({ target: "ports", what, input: new Uint8Array(0) }));
}

async function watchHonest(of: {
  node: NodeProcess;
  app: WatchingApp;
  commit: () => Promise<number>;
  arrivalsMs: number[];
  readyMs: number[];
  findings: Finding[];
  signal: AbortSignal;
}): Promise<void> {
  while (!of.signal.aborted)
    try {
      of.arrivalsMs.push(await of.app.sees(await of.commit(), 60_000));
      const startedMs = performance.now();
      const { ok } = await fetch(`http://${of.node.admin}/readyz`);
      if (!ok) throw new Error("/readyz is not right");
      of.readyMs.push(performance.now() - startedMs);
    } catch (thrown) {
      of.findings.push({
        target: "ports",
        what: `beside: ${String(thrown)}`,
        input: new Uint8Array(0),
      });
      return;
    }
}

async function runDoor(of: {
  door: Door;
  inputsCount: number;
  seed: number;
  findings: Finding[];
}): Promise<DoorOutcome> {
  const { door, inputsCount, findings } = of;
  const startedMs = performance.now();
  const outcome = {
    door: door.name,
    inputsCount,
    okCount: 0,
    refusedCount: 0,
    closedCount: 0,
    tookMs: 0,
  };
  const random = new Random(of.seed);
  let left = inputsCount;
  const lane = async (): Promise<void> => {
    while (left-- > 0) {
      const { input, answer } = door.attempt(random);
      try {
        const given = await inTime(answer);
        if (given === "ok") outcome.okCount++;
        else if (given === "refused") outcome.refusedCount++;
        else outcome.closedCount++;
      } catch (thrown) {
        if (findings.length < 20) findings.push({ target: door.name, what: String(thrown), input });
      }
    }
  };
  await Promise.all(Array.from({ length: lanesCount }, lane));
  outcome.tookMs = performance.now() - startedMs;
  return outcome;
}

async function inTime(answer: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer, and not closed")), answerMsMax);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

function httpDoors(node: NodeProcess): Door[] {
  const token = readFileSync(join(node.dataDirectory, "admin.token"), "utf8").trim();
  const authorization = `Bearer ${token}`;
  const agent = new Agent({ keepAlive: true, maxSockets: lanesCount });
  const bodies = (port: DoorRequest["port"]): Door => {
    const requests = doorRequests.filter((one) => one.port === port);
    const send = (random: Random) => {
      const one = requests[random.below(requests.length)]!;
      const other = requests[random.below(requests.length)]!.body;
      const input = mutate({ form: one.form, input: one.body, other, random });
      return { input, answer: post({ one, input, address: node[port], authorization, agent }) };
    };
    return { name: `${port} port: bodies`, share: 0.33, attempt: send };
  };
  const raw = (port: DoorRequest["port"]): Door => {
    const requests = doorRequests.filter((one) => one.port === port);
    const seeds = [
      ...requests.map((one) => rawRequest(one, authorization)),
      rawHttp2(),
      rawHttp2(),
    ];
    return rawDoor(`${port} port: connections`, node[port], seeds);
  };
  return [bodies("apps"), bodies("admin"), raw("apps"), raw("admin")];
}

function rawDoor(name: string, address: string, seeds: readonly Uint8Array[]): Door {
  const attempt = (random: Random) => {
    const [input, other] = [0, 1].map(() => seeds[random.below(seeds.length)]!);
    const form = random.below(2) === 0 ? "text" : "bytes";
    const mutant = mutate({ form, input: input!, other: other!, random });
    return { input: mutant, answer: say(address, mutant) };
  };
  return { name, share: 0.14, attempt };
}

/** Statuses that are the node's own fault; 503 says that it is not now. */
function answerOf(code: number): Answer {
  if (code === 500 || code === 502 || code === 0) throw new Error(`answered with ${code}`);
  return code < 400 ? "ok" : "refused";
}

/** A stream is answered once its head is there. */
function post(of: {
  one: DoorRequest;
  input: Uint8Array;
  address: string;
  authorization: string;
  agent: Agent;
}): Promise<Answer> {
  const { one, input, agent, address } = of;
  const headers = {
    "content-type": one.type,
    "content-length": one.method === "GET" ? 0 : input.length,
    ...(one.port === "admin" && { authorization: of.authorization }),
  };
  return new Promise((resolve, reject) => {
    const url = `http://${address}${one.path}`;
    const sent = httpRequest(url, { method: one.method, headers, agent });
    sent.once("error", () => resolve("closed"));
    sent.once("response", (response: IncomingMessage) => {
      try {
        resolve(answerOf(response.statusCode ?? 0));
      } catch (thrown) {
        reject(new Error(`${one.path}, ${one.type}`, { cause: thrown }));
      }
      const isStream = /stream|connect\+/.test(response.headers["content-type"] ?? "");
      if (isStream) sent.destroy();
      else response.resume();
    });
    sent.end(one.method === "GET" ? undefined : input);
  });
}

/** Says it on a connection of its own, with nothing to follow. */
function say(address: string, input: Uint8Array): Promise<Answer> {
  const [, host = "", port = ""] = /^(.*):(\d+)$/.exec(address) ?? [];
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port: Number(port) });
    let heard = "";
    socket.on("error", () => undefined);
    socket.once("connect", () => socket.end(input));
    socket.on("data", (data) => {
      heard = (heard + data.toString("latin1")).slice(0, 64);
      // A stream that was asked for would go on.
      setTimeout(() => socket.destroy(), 50);
    });
    socket.once("close", () => {
      const code = /^HTTP\/1\.[01] (\d{3})/.exec(heard)?.[1];
      try {
        resolve(code === undefined ? "closed" : answerOf(Number(code)));
      } catch (thrown) {
        reject(thrown as Error);
      }
    });
  });
}
