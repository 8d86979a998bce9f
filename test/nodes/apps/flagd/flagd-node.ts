import { Code, ConnectError } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { FlagTable } from "../../../../relay/layers/flag-table.ts";
import { FakeAccess, type FakeProject, flagAt } from "../../fake-access.ts";

/** Shares by flag; a fake node reads them as those of unknown builds, or of a release. */
export type Shares = Readonly<Record<string, number>>;

/** A node that has one project, with what its flags are for each release. */
export function nodeWith(
  unknown: Shares,
  of: { releases?: Readonly<Record<string, Shares>>; project?: string } & Partial<
    Pick<FakeProject, "freshness">
  > = {},
  access: FakeAccess = new FakeAccess(),
): FakeAccess {
  const { releases = {}, project = "horizon", freshness = "FRESH" } = of;
  const tables = Object.entries({ "": unknown, ...releases }).map(
    ([release, shares]) => [release, new FlagTable(release, flagsOf(shares))] as const,
  );
  access.project(project, {
    freshness,
    releases: Object.keys(releases),
    tables: new Map(tables),
  });
  return access;
}

function flagsOf(shares: Shares): ReturnType<typeof flagAt>[] {
  return Object.entries(shares).map(([name, basisPoints]) => flagAt(name, basisPoints));
}

export function grpc(url: string): ReturnType<typeof createGrpcTransport> {
  return createGrpcTransport({ baseUrl: url });
}

/** The messages of a stream as they come, and why it ended. */
export interface Reading<T> {
  readonly messages: readonly T[];
  readonly abort: AbortController;
  readonly ended: Promise<ConnectError | undefined>;
}

export function reading<T>(open: (signal: AbortSignal) => AsyncIterable<T>): Reading<T> {
  const messages: T[] = [];
  const abort = new AbortController();
  const read = async (): Promise<undefined> => {
    for await (const message of open(abort.signal)) messages.push(message);
  };
  const ended = read().catch((thrown: unknown) => ConnectError.from(thrown));
  return { messages, abort, ended };
}

/** The name of the code that a call ends with. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "OK";
  } catch (thrown) {
    return Code[ConnectError.from(thrown).code] ?? "";
  }
}
