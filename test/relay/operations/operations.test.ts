import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { CensusSchema } from "../../../gen/headwater/v1/flag_pb.ts";
import { EnvelopeSchema } from "../../../gen/headwater/v1/ledger_pb.ts";
import {
  CredentialSchema,
  type JoinToken,
  ProjectPinSchema,
} from "../../../gen/headwater/v1/mesh_pb.ts";
import { dayMs } from "../../../relay/cadence.ts";
import type { Peer } from "../../../relay/event.ts";
import { credentialBytesMax, projectsCountMax, upstreamsCountMax } from "../../../relay/limits.ts";
import { Authority, refusalOf, seedOf, valueOf } from "../authority.ts";
import { framesTo, hear, kindsOf, openChild, pin, sendsTo, tokenOf } from "../child-node.ts";
import { rootNode, SteppedNode } from "../stepped-node.ts";

const vendor = new Authority({ name: "vendor" });

describe("bounds", () => {
  test("a child that does not read does not keep the node awake", () => {
    const root = rootNode();
    openChild(root);
    for (let n = 0; n < 30; n++) root.setFlag("alpha", n);
    root.wait(120_000);
    expect(root.node.wakeAtMonoMs).toBeGreaterThan(root.monoMs);
  });

  test("keys are prepared for as many projects as a node holds", () => {
    const stepped = new SteppedNode();
    const prepare = (n: number) =>
      stepped.ask((call) => ({
        kind: "prepare-ledger",
        call,
        project: `project-${n}`,
        ledgerSeed: seedOf("l"),
        beatSeed: seedOf("b"),
      }));
    for (let n = 0; n < projectsCountMax; n++) prepare(n);
    expect(refusalOf(prepare(projectsCountMax))).toContain("limit");
    expect(prepare(0).ok).toBe(true);
  });

  test("a site joins so many upstreams, and may join any of them again", () => {
    const stepped = new SteppedNode();
    const join = (site: string) =>
      stepped.ask((call) => ({ kind: "join", call, token: { ...tokenOf(), site } }));
    for (let n = 0; n < upstreamsCountMax; n++) valueOf(join(`site-${n}`));
    expect(refusalOf(join("one-more"))).toContain("limit");
    expect(join("site-3").ok).toBe(true);
  });
});

test("a token of more names than a child can show with a call is refused when it is made", () => {
  const projects = Array.from({ length: 500 }, (_, n) => `p${n}-`.padEnd(100, "x"));
  const pins = projects.map((project) =>
    create(ProjectPinSchema, { project, authority: vendor.id }),
  );
  const stepped = new SteppedNode({ pins });
  const add = (names: readonly string[]) => stepped.addChild("site", names);
  const fits = valueOf(add(projects.slice(0, 400)));
  const { length } = toBinary(EnvelopeSchema, fits.credential!);
  expect(length).toBeLessThan(credentialBytesMax);
  expect(refusalOf(add(projects))).toMatch(/^limit: projects: the names of 500 take/);
  expect(valueOf(add([])).pins).toHaveLength(500);
});

describe("joining", () => {
  test("puts an upstream after those that were joined before, over a restart and when joined again", () => {
    const stepped = new SteppedNode();
    const order = () =>
      stepped.node.reads.status({ wallMs: 0, monoMs: 0 }).upstreams.map(({ site }) => site);
    const join = (site: string, place = 0) =>
      valueOf(
        stepped.ask((call) => ({ kind: "join", call, token: { ...tokenOf(), site, place } })),
      );
    join("zurich");
    join("berlin", 4_000_000_000);
    join("amsterdam");
    expect(order()).toEqual(["zurich", "berlin", "amsterdam"]);
    join("zurich");
    stepped.restart();
    expect(order()).toEqual(["zurich", "berlin", "amsterdam"]);
  });

  test("is refused when the token contradicts what is pinned, or itself", () => {
    const other = create(ProjectPinSchema, { project: "horizon", authority: vendor.id });
    const join = (stepped: SteppedNode, token: Partial<JoinToken>) =>
      refusalOf(stepped.ask((call) => ({ kind: "join", call, token: { ...tokenOf(), ...token } })));
    expect(join(new SteppedNode({ pins: [pin] }), { pins: [other] })).toContain("conflict");
    expect(join(new SteppedNode(), { pins: [pin, other] })).toContain("conflict");
    expect(join(new SteppedNode({ site: "openstack" }), {})).toContain("own");
    expect(join(new SteppedNode(), { pins: [pin, pin] })).toBe("");
  });

  test("needs a token that names something: a node that holds nothing gives out none", () => {
    const empty = new SteppedNode();
    expect(refusalOf(empty.addChild("site"))).toContain("holds none yet");
    valueOf(empty.ask((call) => ({ kind: "join", call, token: tokenOf() })));
    expect(valueOf(empty.addChild("site")).pins).toHaveLength(1);
  });

  test("is for each project that was named once, also where it was named again", () => {
    const projects = ["horizon", "horizon"];
    const of = {
      name: "acme",
      expiresMs: 0,
      addresses: [],
      certificate: new Uint8Array(0),
      id: seedOf("acme").subarray(16),
    };
    const token = rootNode().ask<JoinToken>((call) => {
      return { kind: "add-child", call, ...of, projects };
    });
    const { payload } = valueOf(token).credential!;
    expect(fromBinary(CredentialSchema, payload).projects).toEqual(["horizon"]);
  });

  test("brings a node to its parent's flags, and a revoked one is shown the door (I15)", () => {
    const root = rootNode();
    root.setFlag("alpha", 1234);
    const token = valueOf(root.addChild("site"));
    const child = new SteppedNode();
    valueOf(child.ask((call) => ({ kind: "join", call, token })));
    const [dial] = child.wait(0).filter(({ kind }) => kind === "dial");
    if (dial?.kind !== "dial") throw new Error("it does not dial");
    const credential = fromBinary(EnvelopeSchema, dial.dial.credential!);
    const peer: Peer = { by: "credential", credential };
    const opened = root.tell({ kind: "child-opened", link: 1, peer, request: dial.dial.request });
    for (const frame of framesTo(opened, 1)) hear(child, frame);
    expect(child.flags()).toEqual({ alpha: 1234 });
    const revoked = root.tell({ kind: "revoke-child", call: 99, name: "site" });
    expect(kindsOf(revoked)).toEqual(["send", "close", "publish", "log", "answer"]);
    for (const frame of framesTo(revoked, 1)) hear(child, frame);
    expect(child.node.reads.status({ wallMs: 0, monoMs: 0 }).upstreams[0]?.problem).toContain(
      "revoked",
    );
    expect(child.flags()).toEqual({ alpha: 1234 });
    const again = root.tell({ kind: "child-opened", link: 2, peer, request: dial.dial.request });
    expect(sendsTo(again, { id: 2 })).toEqual(["goodbye"]);
  });
});

describe("a commit at a node that only follows", () => {
  test("is refused, and says where it is taken and how to restrict the project here", () => {
    const stepped = new SteppedNode({ pins: [pin] });
    expect(stepped.setFlag("alpha", 1)).toMatchObject({
      refusal: {
        kind: "forbidden",
        hint: expect.stringMatching(/Commit at the node that has its key.*headwater overlay/),
      },
    });
  });
});

describe("a question", () => {
  const ask = (openedMs: number, closedMs: number, slot = 0) => {
    const times = { openedMs: BigInt(openedMs), closedMs: BigInt(closedMs) };
    const census = {
      kind: "FEATURE",
      name: "old-api",
      slot,
      windowMs: BigInt(90 * dayMs),
      ...times,
    };
    const value = toBinary(CensusSchema, create(CensusSchema, census));
    return { [`census/feature/old-api/${openedMs}`]: value };
  };

  test("that is closed stays so: it can not be opened again, past what may be asked", () => {
    const root = rootNode();
    const openedMs = root.wallMs;
    valueOf(root.commit(ask(openedMs, 0)));
    root.wait(dayMs);
    const closed = ask(openedMs, root.wallMs);
    valueOf(root.commit(closed));
    root.wait(dayMs);
    for (const closedMs of [0, root.wallMs])
      expect(refusalOf(root.commit(ask(openedMs, closedMs)))).toBe(
        `invalid: entries: census/feature/old-api/${openedMs} is closed, and stays so`,
      );
    expect(root.commit(closed)).toMatchObject({ ok: true, value: { changed: false } });
  });

  test("is not opened before another about the same that is to come, which nobody would answer then", () => {
    const root = rootNode();
    const later = root.wallMs + 2 * dayMs;
    valueOf(root.commit(ask(later, 0)));
    expect(refusalOf(root.commit(ask(root.wallMs, 0, 1)))).toBe(
      `limit: entries: census/feature/old-api/${later} is to come and would not be answered: the same is asked by feature/old-api/${root.wallMs}, which was not closed when it was opened`,
    );
    valueOf(root.commit(ask(later, later + 1)));
    expect(refusalOf(root.commit(ask(later + 1, 0, 1)))).toBe("");
  });
});

describe("a token's end", () => {
  const add = (kind: "add-token" | "add-child", expiresMs: number) => {
    const root = rootNode();
    const { wallMs } = root;
    const child = {
      projects: [],
      addresses: [],
      certificate: new Uint8Array(0),
      id: seedOf("acme").subarray(16),
    };
    const token = { digest: seedOf("t"), scopes: ["read"] };
    const of = { name: "acme", expiresMs: expiresMs === -1 ? wallMs : expiresMs };
    return root.ask((call) =>
      kind === "add-token" ? { kind, call, ...of, ...token } : { kind, call, ...of, ...child },
    );
  };

  test.each(["add-token", "add-child"] as const)("is a time to come, of %s", (kind) => {
    expect(refusalOf(add(kind, 2 ** 64 - 1))).toMatch(/^invalid: expires_ms: further/);
    expect(refusalOf(add(kind, -1))).toMatch(/^invalid: expires_ms: is over/);
    expect(refusalOf(add(kind, 1))).toMatch(/^invalid: expires_ms: is over/);
    expect(add(kind, 0).ok && add(kind, Number.MAX_SAFE_INTEGER).ok).toBe(true);
  });
});
