import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { expect, onTestFinished, test, vi } from "vitest";
import { FlagSyncService } from "../../../gen/flagd/sync/v1/sync_pb.ts";
import { TrustSchema } from "../../../gen/headwater/v1/ledger_pb.ts";
import { ProjectPinSchema } from "../../../gen/headwater/v1/mesh_pb.ts";
import { dayMs } from "../../../relay/cadence.ts";
import type { Effect } from "../../../relay/effect.ts";
import { Authority, epochMs } from "../../relay/authority.ts";
import { authority, bring, encoded, hear, pin, upstreamSettings } from "../../relay/child-node.ts";
import { flagEntry, ruleEntry } from "../../relay/layers/entries.ts";
import { SteppedNode } from "../../relay/stepped-node.ts";
import { FakeAccess } from "../fake-access.ts";
import { grpc, reading } from "./flagd/flagd-node.ts";
import { openTestApps } from "./open-apps.ts";
import { until } from "./watching.ts";

/** A busy machine needs it. */
const within = { timeout: 20_000, interval: 5 };

const vendor = new Authority({ name: "vendor" });

/** A node whose vendor has pinned a flag, which it may do only while it is granted. */
class PinningNode {
  readonly #child: SteppedNode;
  readonly access: FakeAccess;

  constructor() {
    const pins = [create(ProjectPinSchema, { ...pin, overlays: [vendor.id] })];
    this.#child = new SteppedNode({ upstreams: [upstreamSettings], pins });
    this.#child.wait(0);
    const effect = { case: "pin", value: { basisPoints: 10_000 } } as const;
    const overlay = vendor.ledger(ruleEntry("alpha", effect));
    bring(this.#child, authority.ledger(flagEntry("alpha")), overlay);
    const { reads } = this.#child.node;
    this.access = new FakeAccess({
      projects: () => reads.projects(),
      standing: (...of) => reads.standing(...of),
      flagSet: (...of) => reads.flagSet(...of),
      flagByRelease: (...of) => reads.flagByRelease(...of),
    });
    this.access.wallMs = epochMs;
  }

  grantComes(): void {
    const value = { authority: vendor.id, pinBasisPointsMax: 10_000 };
    const grants = [authority.grant({ case: "overlay", value }, epochMs + dayMs)];
    const trust = create(TrustSchema, { roots: [authority.root], grants });
    this.#carryOut(hear(this.#child, encoded("trustUpdate", { trust })));
  }

  /** Short of its end, so that what is held is old already. */
  grantIsAboutToEnd(): void {
    this.#carryOut(this.#child.wait(dayMs - 1));
  }

  grantEnds(): void {
    this.#carryOut(this.#child.wait(1_000));
  }

  #carryOut(effects: readonly Effect[]): void {
    this.access.wallMs = this.#child.wallMs;
    for (const effect of effects)
      if (effect.kind === "expose") this.access.expose(effect.exposure.project);
  }
}

test("who asks by OFREP whether anything is new hears of a grant that comes, and that ends", async () => {
  const node = new PinningNode();
  const { url } = await openTestApps(node.access);
  const ask = async (etag: string) => {
    const response = await fetch(`${url}/ofrep/v1/evaluate/flags`, {
      method: "POST",
      headers: { "content-type": "application/json", "if-none-match": etag },
      body: JSON.stringify({ context: { targetingKey: "i-1" } }),
    });
    const text = await response.text();
    const flags = text === "" ? [] : (JSON.parse(text) as { flags: { value: boolean }[] }).flags;
    return { values: flags.map(({ value }) => value), etag: response.headers.get("etag") ?? "" };
  };
  const before = await ask("");
  expect(before.values).toEqual([false]);
  expect((await ask(before.etag)).values).toEqual([]);
  node.grantComes();
  const granted = await ask(before.etag);
  expect(granted.values).toEqual([true]);
  expect((await ask(granted.etag)).values).toEqual([]);
  node.grantIsAboutToEnd();
  const late = await ask(granted.etag);
  expect(late.values).toEqual([true]);
  node.grantEnds();
  expect((await ask(late.etag)).values).toEqual([false]);
});

test("who listens to OFREP's events is told to ask again because of a grant", async () => {
  const node = new PinningNode();
  // It is not looked at all the same before this test is over.
  const { url, counts } = await openTestApps(node.access, { heartbeatMs: dayMs });
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const events = await fetch(`${url}/ofrep/v1/events`, { signal: stop.signal });
  let told = "";
  const write = (text: string): void => void (told += text);
  events.body
    ?.pipeThrough(new TextDecoderStream())
    .pipeTo(new WritableStream({ write }))
    .catch(() => undefined);
  await until(() => counts.watchersCount === 1);
  node.grantComes();
  await vi.waitFor(() => expect(told).toContain("refetchEvaluation"), within);
});

test("who keeps all flags as flagd does is sent them anew because of a grant", async () => {
  const node = new PinningNode();
  const { url } = await openTestApps(node.access);
  const client = createClient(FlagSyncService, grpc(url));
  const sync = reading((signal) => client.syncFlags({}, { signal }));
  onTestFinished(() => sync.abort.abort());
  const newest = (): string => sync.messages.at(-1)?.flagConfiguration ?? "";
  await vi.waitFor(() => expect(newest()).toContain('"defaultVariant":"off"'), within);
  node.grantComes();
  await vi.waitFor(() => expect(newest()).toContain('"defaultVariant":"on"'), within);
  node.grantIsAboutToEnd();
  node.grantEnds();
  await vi.waitFor(() => expect(newest()).toContain('"defaultVariant":"off"'), within);
});
