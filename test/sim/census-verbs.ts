import { create, toBinary } from "@bufbuild/protobuf";
import { type Census, CensusSchema } from "../../gen/headwater/v1/flag_pb.ts";
import type { Document } from "../../gen/headwater/v1/telemetry_pb.ts";
import { secondMs } from "../../relay/cadence.ts";
import { censusName } from "../../relay/telemetry/census/census-question.ts";
import { CensusApp, type Use, usable } from "./census-apps.ts";
import { project, type Scene } from "./scene.ts";
import { pick, type Verbs } from "./verb.ts";

/** How often operators look whether their nodes take part, and whoever asks at the answers. */
const lookMs = 5 * secondMs;

const windowsMs = [80_000, 120_000, 200_000] as const;

/** What a census is about, and its name. */
const subjects = { FEATURE: usable.feature, FLAG: usable.flag, BELOW: "1.1.0" } as const;

const misreports = ["nothing", "anything", "old"] as const;

/** A census, whoever takes part in it, and apps whose use of things is what it is about. */
export const censusVerbs: Verbs = {
  ask: {
    weight: 0,
    draw: ({ random }) => [
      pick(random, ["FEATURE", "FEATURE", "FLAG", "BELOW"]),
      String(pick(random, windowsMs)),
      String(pick(random, [5_000, 20_000, 60_000])),
    ],
    run: (scene, [kind = "", windowMs = "", leadMs = ""]) =>
      ask(scene, kind as keyof typeof subjects, Number(windowMs), Number(leadMs)),
  },
  close: {
    weight: 0,
    draw: ({ random }) => [String(random.below(2))],
    run: (scene, [slot = "0"]) => close(scene, Number(slot)),
  },
  enroll: {
    weight: 0,
    draw: () => undefined,
    run: (scene, [node = "", how = "apps"]) => {
      scene.enrolled.set(node, how === "no-apps");
      seeToEnrollment(scene, node);
    },
  },
  leave: {
    weight: 0,
    draw: ({ relay }) => [relay()],
    run: (scene, [node = ""]) => {
      scene.enrolled.delete(node);
      setEnrollment(scene, node, { isEnrolled: false, withoutApps: false });
    },
  },
  /** An app starts at a node, for a while; what it uses and when follows its end. */
  app: {
    weight: 0,
    draw: () => undefined,
    run: (scene, [node = "", version = "", how = "", forMs = "0", ...uses]) =>
      start(scene, { node, version, how, forMs: Number(forMs), uses }),
  },
  /** Apps go to other nodes of their sites. */
  move: {
    weight: 0,
    draw: () => [],
    run: (scene) => {
      for (const app of scene.apps) app.move();
    },
  },
  /** Somebody else's node says something else in its documents than it knows. */
  misreport: {
    weight: 0,
    draw: ({ relay, random, forMs }) => [relay(), pick(random, misreports), forMs(200_000)],
    run: (scene, [node = "", how = "", forMs = "0"]) =>
      misreport(scene, { node, how, forMs: Number(forMs) }),
  },
  /** Nothing happens, and time passes. */
  wait: { weight: 0, draw: () => [], run: () => {} },
};

function ask(scene: Scene, kind: keyof typeof subjects, windowMs: number, leadMs: number): void {
  const { world, writer, questions } = scene;
  if (!scene.isUp(writer)) return;
  const openedMs = BigInt(Math.floor(world.momentOf(world.get(writer)).wallMs + leadMs));
  const census = create(CensusSchema, {
    kind,
    name: subjects[kind],
    slot: questions.length,
    openedMs,
    windowMs: BigInt(windowMs),
  });
  questions.push(census);
  commit(scene, census);
  if (questions.length === 1) look(scene);
}

function close(scene: Scene, slot: number): void {
  const census = scene.questions[slot];
  const { world, writer } = scene;
  if (census === undefined || !scene.isUp(writer)) return;
  const closedMs = BigInt(Math.floor(world.momentOf(world.get(writer)).wallMs));
  commit(scene, { ...census, closedMs });
}

function commit(scene: Scene, census: Census): void {
  const key = `census/${censusName(census)}`;
  const value = toBinary(CensusSchema, census);
  scene.commit(scene.writer, scene.ledger, [{ key, value }]);
}

/** As long as the run lasts. */
function look(scene: Scene): void {
  const { world, checks } = scene;
  for (const node of scene.standing) {
    if (!node.isAlive || checks.excused.has(node.name)) continue;
    checks.census.look(node);
    seeToEnrollment(scene, node.name);
  }
  world.later(lookMs, () => look(scene));
}

/** An operator whose node takes no part, as it has lost its disk or was away, says so again. */
function seeToEnrollment(scene: Scene, node: string): void {
  const withoutApps = scene.enrolled.get(node);
  if (withoutApps === undefined || !scene.isUp(node)) return;
  const listed = scene.world.get(node).node.reads.censuses(project, scene.world.now.wallMs);
  if (listed.ok && !listed.value.enrolled)
    setEnrollment(scene, node, { isEnrolled: true, withoutApps });
}

function setEnrollment(
  scene: Scene,
  node: string,
  of: { isEnrolled: boolean; withoutApps: boolean },
): void {
  if (!scene.isUp(node)) return;
  scene.world.ask(node, (call) => ({ kind: "set-enrollment", call, project, ...of }));
}

function start(
  scene: Scene,
  of: { node: string; version: string; how: string; forMs: number; uses: readonly string[] },
): void {
  const { node, version, how, forMs, uses } = of;
  const instance = `${node}-app-${scene.apps.length}`;
  const app = new CensusApp(scene, { instance, node, version, isMute: how === "mute" });
  scene.apps.push(app);
  for (const use of uses) {
    const [what = "", atMs = "0"] = use.split("@");
    scene.later(Number(atMs), () => app.use(what as Use));
  }
  if (how !== "stays") scene.later(forMs, () => app.end(how !== "crashes"));
}

function misreport(scene: Scene, of: { node: string; how: string; forMs: number }): void {
  const { world, checks, random, later } = scene;
  checks.census.lies(world.get(of.node).settings.site);
  const said: Document["census"][] = [];
  world.calls.misreports.set(of.node, (document) => {
    if (document.kind !== "WEIGHTS") return document;
    world.fault("misreport");
    said.push(document.census);
    if (of.how === "nothing") return { ...document, census: [] };
    if (of.how === "old") return { ...document, census: said[random.below(said.length)] ?? [] };
    const census = document.census.map((slot) => ({
      ...slot,
      window: Math.max(0, (slot.window ?? 0) - random.below(2)),
      answer: random.below(4),
    }));
    return { ...document, census };
  });
  later(of.forMs, () => world.calls.misreports.delete(of.node));
}
