import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import type { Envelope } from "../../../gen/headwater/v1/ledger_pb.ts";
import { type ProjectPin, ProjectPinSchema } from "../../../gen/headwater/v1/mesh_pb.ts";
import { SiteSeal } from "../../../relay/site/site-seal.ts";
import { payloadType } from "../../../relay/trust/envelope.ts";
import { Authority, keyOf } from "../authority.ts";

const authority = new Authority();
const pin = create(ProjectPinSchema, { project: "horizon", authority: authority.id });

describe("pins", () => {
  const seal = new SiteSeal(keyOf("site"));
  const sealed = (pins: readonly ProjectPin[], by = seal): Envelope => {
    const body = by.pins(pins);
    if (body.case !== "pins") throw new Error("these are no pins");
    return body.value;
  };

  test("are taken from a node of the site, which its key's signature shows", () => {
    expect(seal.openPins(sealed([pin]))).toEqual([pin]);
  });

  test.each<[string, Envelope]>([
    ["by another site", sealed([pin], new SiteSeal(keyOf("other")))],
    ["by nobody", { ...sealed([pin]), signatures: [] }],
    ["for another purpose", { ...sealed([pin]), payloadType: payloadType.credential }],
    ["and altered", { ...sealed([pin]), payload: sealed([]).payload }],
  ])("that were signed %s are none", (_, envelope) => {
    expect(seal.openPins(envelope)).toEqual([]);
  });

  test("that are of no good form are left out", () => {
    const bad = create(ProjectPinSchema, { project: "a/b", authority: authority.id });
    const short = create(ProjectPinSchema, { project: "oslo", authority: new Uint8Array(3) });
    expect(seal.openPins(sealed([bad, pin, short]))).toEqual([pin]);
  });
});
