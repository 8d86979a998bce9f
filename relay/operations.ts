import { create, toBinary } from "@bufbuild/protobuf";
import {
  type JoinToken,
  JoinTokenSchema,
  type ProjectPin,
  ProjectPinSchema,
} from "../gen/headwater/v1/mesh_pb.ts";
import { ChildRecordSchema } from "../gen/headwater/v1/store_pb.ts";
import { advance } from "./advance.ts";
import { auditWrites, trustWrite } from "./durable.ts";
import type { Effect, Write } from "./effect.ts";
import type { Event, OperatorEvent } from "./event.ts";
import { isName } from "./flag/name.ts";
import { foundLedger, prepareCommit, Writer } from "./ledger/writer.ts";
import { projectsCountMax, upstreamsCountMax } from "./limits.ts";
import type { UpstreamSettings } from "./link/uplink.ts";
import type { NodeParts } from "./parts.ts";
import { done, type Outcome, refused } from "./refusal.ts";
import { encodeCredential, signCredential } from "./trust/join-token.ts";
import { toHex } from "./trust/key.ts";

/** Something an operator asked for: first made durable, then done and answered. */
export interface Operation {
  readonly writes: readonly Write[];
  accept(): { readonly value: unknown; readonly effects: readonly Effect[] };
}

type Of<K extends OperatorEvent["kind"]> = Extract<Event, { kind: K }>;

export function operate(parts: NodeParts, event: Event & OperatorEvent): Outcome<Operation> {
  switch (event.kind) {
    case "prepare-ledger":
      return prepareLedger(parts, event);
    case "create-ledger":
      return createLedger(parts, event);
    case "commit":
      return commit(parts, event);
    case "add-child":
      return addChild(parts, event);
    case "revoke-child":
      return revokeChild(parts, event);
    case "join":
      return join(parts, event);
    case "set-disclosure":
      return setDisclosure(parts, event);
  }
}

/** Keys for a ledger that does not exist yet; asking again before it does makes new ones. */
const preparedKey = (project: string): string => `prepared ${project}`;

function prepareLedger(parts: NodeParts, event: Of<"prepare-ledger">): Outcome<Operation> {
  const problem = newProjectProblem(parts, event.project);
  if (problem !== undefined) return problem;
  const writer = new Writer({ term: 1, ledgerSeed: event.ledgerSeed, beatSeed: event.beatSeed });
  const value = {
    ledgerKey: writer.ledgerKey.publicKey,
    beatKey: writer.beatKey.publicKey,
  };
  return done({
    writes: [{ bucket: "key", key: preparedKey(event.project), value: writer.record(undefined) }],
    accept: () => {
      parts.holdings.prepared.set(event.project, writer);
      return { value, effects: [] };
    },
  });
}

function createLedger(parts: NodeParts, event: Of<"create-ledger">): Outcome<Operation> {
  const problem = newProjectProblem(parts, event.project);
  if (problem !== undefined) return problem;
  const { project, trust, at } = event;
  const writer = parts.holdings.prepared.get(project);
  if (writer === undefined)
    return refused("invalid", "project: no keys were prepared for it", "headwater init does both.");
  const founded = foundLedger({ project, trust, writer, wallMs: at.wallMs });
  if (!founded.ok) return founded;
  const { ledger, trusted, change } = founded.value;
  const name = { authority: ledger.name.authority, project };
  const pin = create(ProjectPinSchema, name);
  return done({
    writes: [
      { bucket: "key", key: preparedKey(project), value: undefined },
      { bucket: "key", key: ledger.id, value: writer.record(name) },
      pinWrite(pin),
      trustWrite(ledger, trusted),
      ...parts.holdings.changeWrites(ledger, change),
    ],
    accept: () => {
      ledger.trusted = trusted;
      parts.holdings.found(ledger, writer);
      const effects = advance(parts, { ledger, change, source: { kind: "here" }, at });
      effects.push(parts.peers.publish(parts.peers.pins(parts.holdings.pins)));
      return { value: { ledger: name, position: change.head.position }, effects };
    },
  });
}

function newProjectProblem(
  parts: NodeParts,
  project: string,
): ReturnType<typeof refused> | undefined {
  if (!isName(project))
    return refused("invalid", `project: ${JSON.stringify(project)} is not a name`);
  const { projects, prepared } = parts.holdings;
  if (!prepared.has(project) && projects.size + prepared.size >= projectsCountMax)
    return refused("limit", `project: a node holds ${projectsCountMax}`);
  if (!projects.has(project)) return undefined;
  return refused(
    "conflict",
    `project: ${project} is held here already`,
    "headwater status shows it.",
  );
}

function commit(parts: NodeParts, { request, at }: Of<"commit">): Outcome<Operation> {
  const name = request.ledger;
  if (name === undefined) return refused("invalid", "ledger: missing");
  const found = parts.holdings.ledgerOf(name.project, name.authority);
  if (!found.ok) return found;
  const ledger = found.value;
  const writer = parts.holdings.writers.get(ledger.id);
  if (writer === undefined)
    return refused(
      "forbidden",
      `ledger: ${name.project} is not written at this node`,
      "Commit at the node that has its key: the project's root.",
    );
  if (ledger.head === undefined)
    return refused("unavailable", `ledger: ${name.project} has nothing verified here`);
  const prepared = prepareCommit({ ledger, writer, request, wallMs: at.wallMs });
  if (!prepared.ok) return prepared;
  const change = prepared.value;
  if (change === undefined)
    return done({
      writes: [],
      accept: () => ({ value: { position: ledger.position, changed: false }, effects: [] }),
    });
  return done({
    writes: [
      ...parts.holdings.changeWrites(ledger, change),
      ...auditWrites({ ledger, change, actor: request.actor, wallMs: at.wallMs }),
    ],
    accept: () => ({
      value: { position: change.head.position, changed: true },
      effects: advance(parts, { ledger, change, source: { kind: "here" }, at }),
    }),
  });
}

function addChild(parts: NodeParts, event: Of<"add-child">): Outcome<Operation> {
  const { name, id, expiresMs, at, projects } = event;
  const unknown = projects.find((project) => !parts.holdings.projects.has(project));
  if (unknown !== undefined)
    return refused("unknown", `projects: ${JSON.stringify(unknown)} is not held here`);
  const record = parts.children.prepare({ name, id, addedMs: at.wallMs, expiresMs });
  if (!record.ok) return record;
  const { siteKey, settings } = parts;
  const pins = parts.holdings.pins.filter(
    ({ project }) => projects.length === 0 || projects.includes(project),
  );
  const token = create(JoinTokenSchema, {
    addresses: [...event.addresses],
    certificate: settings.certificate,
    site: settings.site,
    pins,
    credential: signCredential({ child: name, id, expiresMs, siteKey }),
  });
  return done({
    writes: [childWrite(record.value)],
    accept: () => {
      parts.children.accept(record.value);
      return { value: token, effects: [] };
    },
  });
}

function revokeChild(parts: NodeParts, event: Of<"revoke-child">): Outcome<Operation> {
  const revoked = parts.children.revoked(event.name);
  if (!revoked.ok) return revoked;
  return done({
    writes: revoked.value.map(childWrite),
    accept: () => {
      for (const record of revoked.value) parts.children.accept(record);
      const effects = parts.downlinks.revoke(event.name);
      return { value: { revokedCount: revoked.value.length }, effects };
    },
  });
}

function join(parts: NodeParts, { token, at }: Of<"join">): Outcome<Operation> {
  const fresh = parts.holdings.newPins(token.pins);
  if (!fresh.ok) return fresh;
  if (token.site === parts.settings.site)
    return refused("invalid", `token: it is this site's own (${token.site})`);
  const others = parts.uplinks.all.filter(({ settings }) => settings.id !== token.site);
  if (others.length >= upstreamsCountMax)
    return refused("limit", `token: ${upstreamsCountMax} upstreams are joined already`);
  const upstream = upstreamOf(token);
  const adopted = parts.telemetry.adoptEnvironment(upstream.id, at.wallMs);
  return done({
    writes: [
      { bucket: "upstream", key: token.site, value: toBinary(JoinTokenSchema, token) },
      ...fresh.value.map(pinWrite),
      ...(adopted === undefined ? [] : [adopted.write]),
    ],
    accept: () => {
      for (const pin of fresh.value) parts.holdings.pin(pin);
      adopted?.accept();
      const effects = parts.uplinks.end(upstream.id, "joined again", at.monoMs);
      parts.uplinks.add(upstream, at.monoMs);
      effects.push(parts.peers.publish(parts.peers.pins(parts.holdings.pins)));
      const { site, addresses, pins: projects } = token;
      return { value: { site, addresses, projects }, effects };
    },
  });
}

/** A parent as its token describes it. */
export function upstreamOf(token: JoinToken): UpstreamSettings {
  return {
    id: token.site,
    addresses: token.addresses,
    certificate: token.certificate,
    credential: token.credential && encodeCredential(token.credential),
    projects: token.pins.map(({ project }) => project),
  };
}

function setDisclosure(parts: NodeParts, event: Of<"set-disclosure">): Outcome<Operation> {
  const ids = parts.uplinks.all.map(({ settings }) => settings.id);
  const upstreams = event.upstream === "" ? ids : ids.filter((id) => id === event.upstream);
  if (upstreams.length === 0)
    return refused(
      "unknown",
      event.upstream === ""
        ? "upstream: this node has none"
        : `upstream: no ${JSON.stringify(event.upstream)}`,
      ids.length === 0 ? "headwater join TOKEN makes one." : `There are: ${ids.join(", ")}.`,
    );
  const choices = upstreams.flatMap(
    (upstream) =>
      parts.telemetry.choose({
        upstream,
        level: event.level,
        byCommand: true,
        wallMs: event.at.wallMs,
      }) ?? [],
  );
  return done({
    writes: choices.map(({ write }) => write),
    accept: () => {
      for (const choice of choices) choice.accept();
      return { value: { upstreams }, effects: [] };
    },
  });
}

export function pinWrite(pin: ProjectPin): Write {
  return { bucket: "pin", key: pin.project, value: toBinary(ProjectPinSchema, pin) };
}

function childWrite(record: Parameters<NodeParts["children"]["accept"]>[0]): Write {
  return { bucket: "child", key: toHex(record.id), value: toBinary(ChildRecordSchema, record) };
}
