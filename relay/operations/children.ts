import { create, toBinary } from "@bufbuild/protobuf";
import { JoinTokenSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import { type ChildRecord, ChildRecordSchema } from "../../gen/headwater/v1/store_pb.ts";
import type { Effect, Write } from "../effect.ts";
import type { EventOf, Moment } from "../event.ts";
import { credentialBytesMax } from "../limits.ts";
import type { NodeParts } from "../parts.ts";
import { quoted } from "../quoted.ts";
import { done, type Outcome, refused } from "../refusal.ts";
import { childKey } from "../trust/children.ts";
import { encodeCredential, signCredential } from "../trust/join-token.ts";
import type { Operation } from "./operation.ts";

/** A site may come below: it gets a token, which names what it may have. */
export function addChild(parts: NodeParts, event: EventOf<"add-child">): Outcome<Operation> {
  const { name, id, expiresMs, at } = event;
  const projects = [...new Set(event.projects)];
  const unknown = projects.find((project) => !parts.holdings.projects.has(project));
  if (unknown !== undefined)
    return refused("unknown", `projects: ${quoted(unknown)} is not held here`);
  // Whoever joins follows what the token names, and would follow nothing for good.
  if (parts.holdings.pins.length === 0)
    return refused(
      "unavailable",
      "projects: this node holds none yet that a token could name",
      "First begin a project here, or join an upstream: `headwater init`, `headwater join`.",
    );
  const record = parts.children.prepare({ name, id, addedMs: at.wallMs, expiresMs });
  if (!record.ok) return record;
  const { siteKey, settings } = parts;
  const pins = parts.holdings.pins.filter(
    ({ project }) => projects.length === 0 || projects.includes(project),
  );
  const credential = signCredential({ child: name, id, expiresMs, projects, siteKey });
  const credentialBytes = encodeCredential(credential).length;
  if (credentialBytes > credentialBytesMax)
    return refused(
      "limit",
      `projects: the names of ${projects.length} take ${credentialBytes} bytes of ${credentialBytesMax} that a child can show with each call`,
      "Name fewer; or none, and the child may have all that this node serves.",
    );
  const token = create(JoinTokenSchema, {
    addresses: parts.peers.addressesWith(event.addresses, at.monoMs),
    certificate: event.certificate,
    site: settings.site,
    pins,
    credential,
  });
  return done({
    writes: [childWrite(record.value)],
    accept: () => {
      const { children, peers } = parts;
      children.accept(record.value);
      return { value: token, effects: peers.tellChildren(children) };
    },
  });
}

/** A site may come no more: its links end at once, at every node of this site. */
export function revokeChild(parts: NodeParts, event: EventOf<"revoke-child">): Outcome<Operation> {
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
      effects.push(...peers.tellChildren(children));
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

export function childWrite(record: ChildRecord): Write {
  return { bucket: "child", key: childKey(record), value: toBinary(ChildRecordSchema, record) };
}
