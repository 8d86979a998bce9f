import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { EnvelopeSchema } from "../../../gen/headwater/v1/ledger_pb.ts";
import { ConfirmRequestSchema } from "../../../gen/headwater/v1/mesh_pb.ts";
import { type Document, DocumentSchema } from "../../../gen/headwater/v1/telemetry_pb.ts";
import { HeadwaterError } from "../../../nodes/error.ts";
import { meshRequestBytesMax } from "../../../relay/limits.ts";
import { eventually } from "./fake-node.ts";
import { type Child, dialTo, openChild, openParent, type Parent, upstream } from "./mesh-pair.ts";

const document: Document = create(DocumentSchema, {
  project: "horizon",
  kind: "WEIGHTS",
  window: 42n,
  weights: { releases: [{ name: "2.3.0", basisPoints: 10_000 }] },
});

async function linked(): Promise<{ parent: Parent; child: Child }> {
  const parent = await openParent();
  const child = openChild();
  child.client.dial(dialTo(parent));
  await parent.node.nth("child-opened");
  return { parent, child };
}

test("a document reaches the node, and its answer comes back with the document", async () => {
  const { parent, child } = await linked();
  parent.node.answer = () => ({ outcome: "ACCEPTED" });
  child.client.submitDocument(upstream, document);
  expect(await child.node.nth("document-answered")).toEqual({
    kind: "document-answered",
    upstream,
    document,
    outcome: "ACCEPTED",
  });
  const received = await parent.node.nth("document-received");
  expect(received.document).toEqual(document);
  expect(received.peer).toEqual({ by: "credential", credential: undefined });
});

test("a refusal comes back with what to do about it", async () => {
  const { parent, child } = await linked();
  parent.node.answer = () => {
    const hint = "Ask the parent's operator for a new token.";
    throw new HeadwaterError({ kind: "forbidden", message: "credential: revoked", hint });
  };
  child.client.submitDocument(upstream, document);
  expect((await child.node.nth("document-answered")).outcome).toBe(
    "the parent refuses this node: credential: revoked. Ask the parent's operator for a new token.",
  );
});

test("a fault of the parent stays in its log", async () => {
  const { parent, child } = await linked();
  parent.node.answer = () => {
    throw new TypeError("secrets of a stack");
  };
  child.client.submitDocument(upstream, document);
  const { outcome } = await child.node.nth("document-answered");
  expect(outcome).toContain("internal error");
  expect(outcome).not.toContain("secrets");
  expect(parent.logged).toMatchObject([{ level: "error", message: "secrets of a stack" }]);
});

test("a document that comes when there is no link is answered all the same", async () => {
  const child = openChild();
  child.client.submitDocument(upstream, document);
  expect(child.node.happenings).toEqual([]);
  const { outcome } = await child.node.nth("document-answered");
  expect(outcome).toBe("there is no link to the parent");
});

test("so is one that comes after the link was closed", async () => {
  const { parent, child } = await linked();
  parent.abort();
  await child.node.nth("upstream-closed");
  child.client.submitDocument(upstream, document);
  const { outcome } = await child.node.nth("document-answered");
  expect(outcome).toBe("there is no link to the parent");
});

test("so is one whose link ends before the answer, once", async () => {
  const { parent, child } = await linked();
  const answer = Promise.withResolvers<unknown>();
  parent.node.answer = () => answer.promise;
  child.client.submitDocument(upstream, document);
  await parent.node.nth("document-received");
  child.client.hangUp(upstream);
  const { outcome } = await child.node.nth("document-answered");
  expect(outcome).toBe("the link to the parent has ended");
  answer.resolve({ outcome: "ACCEPTED" });
  await parent.node.nth("child-closed");
  expect(child.node.happenings).toHaveLength(1);
});

test("a confirmation reaches the node with who sent it", async () => {
  const parent = await openParent();
  const child = openChild();
  const credential = Uint8Array.of(10, 1, 120);
  child.client.dial(dialTo(parent, { credential }));
  const ledger = { authority: new Uint8Array(32).fill(1), project: "horizon" };
  const request = create(ConfirmRequestSchema, {
    holdings: [{ ledger, position: { term: 1, seq: 7, digest: new Uint8Array(32) } }],
  });
  child.client.confirm(upstream, request);
  const confirmed = await parent.node.nth("child-confirmed");
  expect(confirmed.request).toEqual(request);
  const envelope = create(EnvelopeSchema, { payloadType: "x" });
  expect(confirmed.peer).toEqual({ by: "credential", credential: envelope });
});

test("confirmations go together with those that come soon after, and while one is on its way", async () => {
  const { parent, child } = await linked();
  const first = Promise.withResolvers<unknown>();
  parent.node.answer = () => first.promise;
  const confirmation = (project: string): ReturnType<typeof create<typeof ConfirmRequestSchema>> =>
    create(ConfirmRequestSchema, { holdings: [{ ledger: { project } }] });
  for (const project of ["a", "b", "a"]) child.client.confirm(upstream, confirmation(project));
  await parent.node.nth("child-confirmed");
  for (const project of ["c", "c"]) child.client.confirm(upstream, confirmation(project));
  first.resolve({});
  await parent.node.nth("child-confirmed", 2);
  child.client.confirm(upstream, confirmation("d"));
  await eventually(() => {
    const projects = parent.node
      .all("child-confirmed")
      .map(({ request }) => request.holdings.map(({ ledger }) => ledger?.project));
    expect(projects).toEqual([["a", "b"], ["c"], ["d"]]);
  });
});

test("of all ledgers that a parent lacks something of it is shown the newest proof", async () => {
  const { parent, child } = await linked();
  const first = Promise.withResolvers<unknown>();
  parent.node.answer = () => first.promise;
  const show = (project: string): void =>
    child.client.confirm(
      upstream,
      create(ConfirmRequestSchema, { ahead: [{ ledger: { project } }] }),
    );
  show("a");
  await parent.node.nth("child-confirmed");
  for (const project of ["b", "c", "b"]) show(project);
  first.resolve({});
  const { request } = await parent.node.nth("child-confirmed", 2);
  expect(request.ahead.map(({ ledger }) => ledger?.project)).toEqual(["b", "c"]);
});

test("what is more than a call may have goes in several: all of it, once, and the proofs first", async () => {
  const { parent, child } = await linked();
  const projects = Array.from({ length: 40 }, (_, n) => `p${n}`);
  const head = { payload: new Uint8Array(meshRequestBytesMax / 32) };
  const request = create(ConfirmRequestSchema, {
    holdings: projects.map((project) => ({ ledger: { project } })),
    ahead: projects.map((project) => ({ ledger: { project }, head })),
  });
  child.client.confirm(upstream, request);
  await eventually(() => {
    const said = parent.node.all("child-confirmed").map(({ request: one }) => one);
    const names = (of: readonly { ledger?: { project: string } | undefined }[]): string[] =>
      of.flatMap(({ ledger }) => ledger?.project ?? []);
    expect(said.flatMap(({ ahead }) => names(ahead))).toEqual(projects);
    expect(said.flatMap(({ holdings }) => names(holdings))).toEqual(projects);
    expect(said.findIndex(({ holdings }) => holdings.length > 0)).toBe(said.length - 1);
  });
});

test("a confirmation without a link is nothing", () => {
  const child = openChild();
  child.client.confirm(upstream, create(ConfirmRequestSchema));
  expect(child.node.happenings).toEqual([]);
});
