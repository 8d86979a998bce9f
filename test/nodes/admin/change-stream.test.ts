import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { GetFleetResponseSchema } from "../../../gen/headwater/v1/fleet_pb.ts";
import { GetStatusResponseSchema } from "../../../gen/headwater/v1/nodes_pb.ts";
import { OperatorService } from "../../../gen/headwater/v1/operators_pb.ts";
import { done } from "../../../relay/refusal.ts";
import { FakeAccess } from "../fake-access.ts";
import { openTestAdmin } from "./open-admin.ts";

test("a watch names all there is, then what has changed and nothing else", async () => {
  let reportersCount = 1;
  let silentMs = 0n;
  const access = new FakeAccess({
    // How long a link has been silent rises all the time, and is no news.
    status: () =>
      create(GetStatusResponseSchema, { node: "n", upstreams: [{ silentMs: silentMs++ }] }),
    rollouts: () => [],
    fleet: (project) => done(create(GetFleetResponseSchema, { project, reportersCount })),
  });
  access.project("horizon");
  const { client } = await openTestAdmin(access);
  const stream = client(OperatorService).watchChanges({})[Symbol.asyncIterator]();
  const next = async (): Promise<string[]> => {
    const { value } = await stream.next();
    return (value as { subjects: string[] }).subjects.toSorted();
  };
  expect(await next()).toEqual(["audit", "flags/horizon", "fleet/horizon", "rollouts", "status"]);
  reportersCount = 2;
  expect(await next()).toEqual(["fleet/horizon"]);
  access.expose("horizon");
  expect(await next()).toEqual(["audit", "flags/horizon"]);
});
