import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { RuleSchema } from "../../gen/headwater/v1/flag_pb.ts";
import { CommitRequestSchema } from "../../gen/headwater/v1/ledgers_pb.ts";
import { WriterKeysSchema } from "../../gen/headwater/v1/store_pb.ts";
import { copyWaitMs } from "../../relay/cadence.ts";
import { changeWrites, groupRecords, restoreLedger } from "../../relay/durable.ts";
import { prepareCommit } from "../../relay/ledger/commit.ts";
import { signHead } from "../../relay/ledger/head.ts";
import { Ledger, type LedgerChange } from "../../relay/ledger/ledger.ts";
import type { LedgerId } from "../../relay/ledger/position.ts";
import { writerOf } from "../../relay/ledger/writer.ts";
import { sequenceMax } from "../../relay/limits.ts";
import { copyMark } from "../../relay/old-copy.ts";
import { cheatOf, type TrickName, trickNames } from "./cheats.ts";
import type { Backup } from "./memory-store.ts";
import { pinBasisPointsMax } from "./reference-fold.ts";
import { project, type Scene } from "./scene.ts";
import { pick, type Verbs } from "./verb.ts";

/** How long a stolen key goes unnoticed. */
const unnoticedMs = 15_000;

/** What somebody does who wants harm, or has lost a machine. */
export const hostileVerbs: Verbs = {
  cheat: {
    weight: 8,
    draw: ({ random, layout, forMs }) => {
      const parents = [...new Set(layout.nodes.flatMap((one) => one.parents))];
      return [pick(random, parents), pick(random, trickNames), forMs(60_000)];
    },
    run: ({ world, later, overlay, random }, [parent = "", trick = "", forMs = "0"]) => {
      world.network.cheats.set(
        parent,
        cheatOf({
          trick: trick as TrickName,
          random,
          overlay: overlay?.authority,
          fault: (kind) => world.fault(kind),
        }),
      );
      // A relay that wants to be heard starts anew.
      for (const link of world.openLinks) if (link.parent === parent) world.network.cut(link.id);
      later(Number(forMs), () => world.network.cheats.delete(parent));
    },
  },
  /** A vendor's own software signs whatever it likes. */
  overreach: {
    weight: 5,
    draw: ({ random, overlay }) =>
      overlay === "none" ? undefined : [`flag-${random.below(10)}`, "9900"],
    run: (scene, [flag = "", basisPoints = "0"]) => overreach(scene, flag, Number(basisPoints)),
  },
  /** Whoever has the writer's key and a relay uses up the sequence; then the project is promoted. */
  steal: {
    weight: 1,
    draw: () => [],
    run: (scene) => steal(scene),
  },
  /** The root's machine is gone; the vendor goes on. With a word, its old backup comes back too. */
  "lose-root": {
    weight: 1,
    draw: ({ random }) => (random.below(2) === 0 ? [] : ["restored"]),
    run: (scene, [restored]) => loseRoot(scene, restored === "restored"),
  },
  /** The root's machine is gone, and its operator starts it on a backup of some time ago. */
  "restore-root": {
    weight: 0,
    draw: () => undefined,
    run: (scene, [agoMs = "0"]) => {
      const backup = scene.world.get("root").store.backup();
      scene.later(Number(agoMs), () => restoreRoot(scene, backup));
    },
  },
};

function overreach(scene: Scene, flag: string, basisPoints: number): void {
  const { overlay, world } = scene;
  if (overlay === undefined || !scene.isUp("vendor")) return;
  const key = `rule/pin/${flag}`;
  const rule = create(RuleSchema, { flag, effect: { case: "pin", value: { basisPoints } } });
  const value = toBinary(RuleSchema, rule);
  const { truth } = scene.checks;
  truth.pending.add(key);
  const changed = withDisk(scene, "vendor", overlay, (ledger, keys) => {
    const request = create(CommitRequestSchema, { entries: [{ key, value }] });
    const prepared = prepareCommit({
      ledger,
      writer: writerOf(keys),
      request,
      wallMs: world.momentOf(world.get("vendor")).wallMs,
    });
    return prepared.ok ? prepared.value : undefined;
  });
  truth.pending.clear();
  if (!changed) return;
  truth.acknowledge(overlay.id, key, Buffer.from(value).toString("hex"));
  if (basisPoints > pinBasisPointsMax || scene.story.overlay === "plain") world.fault("ungranted");
}

function steal(scene: Scene): void {
  const { world, checks, writer, term } = scene;
  if (
    scene.isKeyStolen ||
    writer !== "root" ||
    term !== 1 ||
    !scene.isUp("root") ||
    !scene.isUp("vendor")
  )
    return;
  const keys = world.get("root").store.get("key", scene.ledger);
  if (keys === undefined) return;
  const { ledgerKey } = writerOf(fromBinary(WriterKeysSchema, keys));
  if (ledgerKey === undefined) return;
  const { authority } = scene.keys;
  const of = { authority, id: scene.ledger };
  const changed = withDisk(scene, "vendor", of, (ledger) => {
    const staged = ledger.stage({ entries: [], tombstones: [] });
    if (!staged.ok || ledger.position?.term !== 1) return undefined;
    const head = signHead({
      ledger: ledger.name,
      position: { term: 1, seq: sequenceMax, digest: staged.value.set.digest },
      previous: ledger.head,
      entriesCount: staged.value.set.count,
      wallMs: world.now.wallMs,
      key: ledgerKey,
    });
    const change = ledger.changeTo(head, staged.value);
    return change.ok ? change.value : undefined;
  });
  if (!changed) return;
  scene.isKeyStolen = true;
  // What a thief signs counts as long as the term lasts: of the rest nobody can be sure.
  checks.truth.doubtOthers(scene.ledger);
  world.fault("stolen-key");
  const recover = (): void => {
    if (scene.term === 1 && scene.writer === "root") scene.promote("root");
  };
  scene.later(unnoticedMs, recover);
  scene.atEnd.push(recover);
}

/** Works on a node's disk while its process is away, as whoever has the machine can. */
function withDisk(
  scene: Scene,
  name: string,
  of: { authority: Uint8Array; id: LedgerId },
  work: (ledger: Ledger, keys: ReturnType<typeof keysOf>) => LedgerChange | undefined,
): boolean {
  const { world, checks } = scene;
  const node = world.get(name);
  world.crash(name);
  const ledger = new Ledger({ authority: of.authority, project });
  const problem = restoreLedger(ledger, groupRecords(node.store.load()));
  const change = problem === undefined ? work(ledger, keysOf(scene, name, of.id)) : undefined;
  if (change !== undefined) {
    const writes = changeWrites(ledger, change);
    node.store.write(writes);
    const head = node.store.get("head", of.id);
    if (head !== undefined)
      checks.truth.signed({
        id: of.id,
        headBytes: head,
        entries: checks.ledgers.entries(node, of.id),
        atMs: world.nowMs,
      });
    checks.observer.persisted?.(node, writes);
  }
  world.restart(name);
  return change !== undefined;
}

function keysOf(scene: Scene, name: string, id: LedgerId) {
  const bytes = scene.world.get(name).store.get("key", id);
  return fromBinary(WriterKeysSchema, bytes ?? new Uint8Array(0));
}

/** Of what no child holds yet nobody could know: then it is left. */
function restoreRoot(scene: Scene, backup: Backup): void {
  const { world, checks, ledger } = scene;
  if (scene.writer !== "root" || scene.isKeyStolen || !scene.isUp("root")) return;
  const held = checks.ledgers.held(world.get("vendor"), ledger);
  if (held === undefined || held !== checks.truth.newest(ledger)) return;
  world.fault("restored-root");
  world.crash("root");
  const { store } = world.get("root");
  store.restore(backup);
  store.write([{ ...copyMark, value: new TextEncoder().encode("some time ago") }]);
  checks.forget("root");
  world.restart("root");
  const rootsOf = (name: string): number => {
    const { reads } = world.get(name).node;
    const trust = reads.trust({ project, authority: scene.keys.authority });
    return trust.ok ? (trust.value.trust?.roots.length ?? 0) : 0;
  };
  const known = Math.max(rootsOf("root"), rootsOf("vendor"));
  scene.atEnd.push(() => {
    world.run(copyWaitMs);
    const has = rootsOf("root");
    checks.hold("I3", "root", has >= known, () => `it goes on with root ${has} after ${known}`);
  });
}

function loseRoot(scene: Scene, isRestored: boolean): void {
  const { world, checks, term } = scene;
  if (scene.writer !== "root" || term !== 1 || !scene.isUp("vendor")) return;
  const held = checks.ledgers.held(world.get("vendor"), scene.ledger);
  if (held === undefined || held.term !== scene.term) return;
  const backup = world.get("root").store.backup();
  world.crash("root");
  scene.gone.add("root");
  // Others may have more than the one who goes on: of what they alone have nobody may rely.
  checks.truth.fallBack(scene.ledger, held);
  if (!scene.promote("vendor")) scene.atEnd.push(() => scene.promote("vendor"));
  for (const { name, parents } of scene.layout.nodes)
    if (parents.includes("root") && name !== "vendor") {
      scene.atEnd.push(() => scene.join("vendor", name));
      scene.later(2_000, () => scene.join("vendor", name));
    }
  if (!isRestored) return;
  scene.later(10_000, () => {
    // As long as nobody went on it is not a former root.
    if (scene.hasEnded || scene.term === term) return;
    world.fault("former-root");
    world.get("root").store.restore(backup);
    checks.forget("root");
    checks.excused.add("root");
    world.restart("root");
  });
}
