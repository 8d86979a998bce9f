import { create, toBinary } from "@bufbuild/protobuf";
import { type JoinToken, JoinTokenSchema, type ProjectPin } from "../gen/headwater/v1/mesh_pb.ts";
import {
  type ChildRecord,
  ChildRecordSchema,
  TokenRecordSchema,
} from "../gen/headwater/v1/store_pb.ts";
import { operationAudit, operationLog } from "./audit.ts";
import { setEnrollment } from "./census-enrollment.ts";
import { commit } from "./commit.ts";
import { pinWrite } from "./durable.ts";
import type { Effect, Write } from "./effect.ts";
import type { Event, EventOf, Moment, OperatorEvent } from "./event.ts";
import { createLedger, prepareLedger } from "./founding.ts";
import { ledgerId } from "./ledger/position.ts";
import { upstreamsCountMax } from "./limits.ts";
import type { UpstreamSettings } from "./link/uplink.ts";
import type { Operation } from "./operation.ts";
import type { NodeParts } from "./parts.ts";
import { quoted } from "./quoted.ts";
import { done, type Outcome, refused, telemetryOff } from "./refusal.ts";
import { changeRollout, startRollout } from "./rollout/rollout-operations.ts";
import { promote, updateTrust } from "./succession.ts";
import { cautionsOf } from "./telemetry/caution.ts";
import { childKey } from "./trust/children.ts";
import { encodeCredential, signCredential } from "./trust/join-token.ts";

/** What it changes is written into the audit with it, and told in one line once it is done. */
export function operate(parts: NodeParts, event: Event & OperatorEvent): Outcome<Operation> {
  const prepared = operationOf(parts, event);
  if (!prepared.ok || prepared.value.writes.length === 0) return prepared;
  const operation = prepared.value;
  return done({
    writes: [...operation.writes, ...operationAudit(event)],
    accept: () => {
      const { value, effects } = operation.accept();
      return { value, effects: [...effects, operationLog(event)] };
    },
  });
}

function operationOf(parts: NodeParts, event: Event & OperatorEvent): Outcome<Operation> {
  switch (event.kind) {
    case "prepare-ledger":
      return prepareLedger(parts, event);
    case "create-ledger":
      return createLedger(parts, event);
    case "commit":
      return commit(parts, event);
    case "update-trust":
      return updateTrust(parts, event);
    case "promote":
      return promote(parts, event);
    case "add-child":
      return addChild(parts, event);
    case "revoke-child":
      return revokeChild(parts, event);
    case "join":
      return join(parts, event);
    case "set-disclosure":
      return setDisclosure(parts, event);
    case "set-enrollment":
      return setEnrollment(parts, event);
    case "start-rollout":
      return startRollout(parts, event);
    case "change-rollout":
      return changeRollout(parts, event);
    case "add-token":
      return addToken(parts, event);
    case "revoke-token":
      return revokeToken(parts, event);
  }
}

function addChild(parts: NodeParts, event: EventOf<"add-child">): Outcome<Operation> {
  const { name, id, expiresMs, at, projects } = event;
  const unknown = projects.find((project) => !parts.holdings.projects.has(project));
  if (unknown !== undefined)
    return refused("unknown", `projects: ${quoted(unknown)} is not held here`);
  // Whoever joins follows what the token names, and would follow nothing for good.
  if (parts.holdings.pins.length === 0)
    return refused(
      "unavailable",
      "projects: this node holds none yet that a token could name",
      "First begin a project here, or join an upstream: headwater init, headwater join.",
    );
  const record = parts.children.prepare({ name, id, addedMs: at.wallMs, expiresMs });
  if (!record.ok) return record;
  const { siteKey, settings } = parts;
  const pins = parts.holdings.pins.filter(
    ({ project }) => projects.length === 0 || projects.includes(project),
  );
  const token = create(JoinTokenSchema, {
    addresses: parts.peers.addressesWith(event.addresses, at.monoMs),
    certificate: settings.certificate,
    site: settings.site,
    pins,
    credential: signCredential({ child: name, id, expiresMs, projects, siteKey }),
  });
  return done({
    writes: [childWrite(record.value)],
    accept: () => {
      const { children, peers } = parts;
      children.accept(record.value);
      return { value: token, effects: [peers.publish(peers.seal.children(children.shared))] };
    },
  });
}

function revokeChild(parts: NodeParts, event: EventOf<"revoke-child">): Outcome<Operation> {
  const { children, admissions, peers } = parts;
  const { name, older = false, at } = event;
  const connected = admissions.of(name);
  const revoked = children.revoked(name, { older, connected, wallMs: at.wallMs });
  if (!revoked.ok) return revoked;
  const records = revoked.value;
  return done({
    writes: records.map(childWrite),
    accept: () => {
      const effects = acceptChildren(parts, records, at);
      effects.push(peers.publish(peers.seal.children(children.shared)));
      const revokedCount = records.filter(({ certificate }) => !certificate).length;
      return { value: { revokedCount }, effects };
    },
  });
}

/** Whom those that are revoked have let in has to go. */
export function acceptChildren(
  { children, downlinks, admissions }: NodeParts,
  records: readonly ChildRecord[],
  at: Moment,
): Effect[] {
  for (const record of records) children.accept(record);
  return downlinks.end(admissions.ended(at.wallMs), "REVOKED");
}

function join(parts: NodeParts, { token, at }: EventOf<"join">): Outcome<Operation> {
  const fresh = parts.holdings.newPins(token.pins);
  if (!fresh.ok) return fresh;
  if (token.site === parts.settings.site)
    return refused("invalid", `token: it is this site's own (${token.site})`);
  const others = parts.uplinks.all.filter(({ settings }) => settings.id !== token.site);
  if (others.length >= upstreamsCountMax)
    return refused("limit", `token: ${upstreamsCountMax} upstreams are joined already`);
  const upstream = upstreamOf(token);
  const adopted = parts.telemetry?.consents.adoptEnvironment(upstream.id, at.wallMs);
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
      effects.push(...redial(parts, { pins: fresh.value, but: upstream.id, at }));
      effects.push(parts.peers.publish(parts.peers.seal.pins(parts.holdings.pins)));
      const { site, addresses, pins: projects } = token;
      return { value: { site, addresses, projects }, effects };
    },
  });
}

/** Other upstreams that may serve what was pinned have to be asked for it. */
export function redial(
  { uplinks }: NodeParts,
  of: { pins: readonly ProjectPin[]; but?: string; at: Moment },
): Effect[] {
  return uplinks.all.flatMap(({ settings: { id, projects } }) => {
    const isAsked = of.pins.some(
      ({ project, vouchedBy }) =>
        projects === undefined || projects.includes(project) || projects.includes(vouchedBy),
    );
    return isAsked && id !== of.but ? uplinks.end(id, "more is pinned", of.at.monoMs) : [];
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
    ledgers: new Set(
      token.pins.flatMap(({ project, authority, overlays }) =>
        [authority, ...overlays].map((one) => ledgerId({ project, authority: one })),
      ),
    ),
  };
}

function setDisclosure(parts: NodeParts, event: EventOf<"set-disclosure">): Outcome<Operation> {
  const { peers, telemetry } = parts;
  if (telemetry === undefined) return telemetryOff();
  const ids = parts.uplinks.all.map(({ settings }) => settings.id);
  const upstreams = event.upstream === "" ? ids : ids.filter((id) => id === event.upstream);
  if (upstreams.length === 0)
    return refused(
      "unknown",
      event.upstream === ""
        ? "upstream: this node has none"
        : `upstream: no ${quoted(event.upstream)}`,
      ids.length === 0 ? "headwater join TOKEN makes one." : `There are: ${ids.join(", ")}.`,
    );
  const choices = upstreams.flatMap(
    (upstream) =>
      telemetry.consents.choose({
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
      const cautions = [...parts.holdings.projects.values()].flatMap((project) =>
        cautionsOf(event.level, project.name, telemetry.fleet(project, event.at.wallMs)),
      );
      const said = peers.publish(peers.seal.consents(telemetry.consents.shared));
      return { value: { upstreams, cautions }, effects: [said] };
    },
  });
}

function addToken(parts: NodeParts, event: EventOf<"add-token">): Outcome<Operation> {
  const { tokens } = parts;
  const prepared = tokens.prepare({ ...event, addedMs: event.at.wallMs });
  if (!prepared.ok) return prepared;
  const record = prepared.value;
  return done({
    writes: [{ bucket: "token", key: record.name, value: toBinary(TokenRecordSchema, record) }],
    accept: () => {
      tokens.accept(record);
      return { value: {}, effects: [] };
    },
  });
}

function revokeToken(parts: NodeParts, event: EventOf<"revoke-token">): Outcome<Operation> {
  const { name } = event;
  if (!parts.tokens.has(name))
    return refused("unknown", `name: no token ${quoted(name)}`, "headwater token list");
  return done({
    writes: [{ bucket: "token", key: name, value: undefined }],
    accept: () => {
      parts.tokens.remove(name);
      return { value: {}, effects: [] };
    },
  });
}

export function childWrite(record: ChildRecord): Write {
  return { bucket: "child", key: childKey(record), value: toBinary(ChildRecordSchema, record) };
}
