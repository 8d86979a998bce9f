import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { ReportRequestSchema } from "../../gen/headwater/v1/apps_pb.ts";
import { LibrarySchema } from "../../gen/headwater/v1/flag_pb.ts";
import { type ProjectPin, ProjectPinSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import { Project } from "../../relay/layers/project.ts";
import { libraryReports, vouchedPins, vouchingProblems } from "../../relay/libraries.ts";
import { librariesCountMax } from "../../relay/limits.ts";
import { Authority, type Entries, seedOf, valueOf } from "./authority.ts";
import { releaseEntries } from "./layers/entries.ts";
import { rootNode, type SteppedNode } from "./stepped-node.ts";

const application = new Authority({ project: "horizon" });
const library = new Authority({ name: "library", project: "oslo" });
const pinned = pin("horizon", application.id);

function pin(project: string, authority: Uint8Array, vouchedBy: string = ""): ProjectPin {
  return create(ProjectPinSchema, { project, authority, vouchedBy });
}

function vouching(project: string, authority: Uint8Array): Entries {
  const value = toBinary(LibrarySchema, create(LibrarySchema, { project, authority }));
  return { [`library/${project}`]: value };
}

function held(entries: Entries, pins: readonly ProjectPin[], more: readonly Project[] = []) {
  const projects = [new Project("horizon", application.ledger(entries), []), ...more];
  return {
    pins,
    projects: new Map(projects.map((project) => [project.name, project])),
    pinOf: (project: string) => pins.find((one) => one.project === project),
  };
}

describe("an application vouches for its libraries", () => {
  test("so that a node which holds it pins them", () => {
    const holdings = held(vouching("oslo", library.id), [pinned]);
    expect(vouchedPins(holdings)).toEqual([pin("oslo", library.id, "horizon")]);
  });

  test("never against what is pinned already, which is told instead", () => {
    const holdings = held(vouching("oslo", library.id), [pinned, pin("oslo", seedOf("other"))]);
    expect(vouchedPins(holdings)).toEqual([]);
    expect(vouchingProblems(holdings).join()).toMatch(/^oslo: horizon vouches for authority/);
    const agreed = held(vouching("oslo", library.id), [pinned, pin("oslo", library.id)]);
    expect(vouchingProblems(agreed)).toEqual([]);
  });

  test("only where an operator pinned it: what is vouched for does not vouch", () => {
    const vouched = pin("horizon", application.id, "another");
    expect(vouchedPins(held(vouching("oslo", library.id), [vouched]))).toEqual([]);
  });

  test("with an authority that is one, under its own name, and 64 times at most", () => {
    expect(vouchedPins(held(vouching("oslo", new Uint8Array(31)), [pinned]))).toEqual([]);
    const [value] = Object.values(vouching("oslo", library.id));
    expect(vouchedPins(held({ "library/other": value! }, [pinned]))).toEqual([]);
    const followed = (count: number): number => {
      const all = Array.from({ length: count }, (_, n) => vouching(`library-${n}`, library.id));
      return vouchedPins(held(Object.assign({}, ...all), [pinned])).length;
    };
    expect(followed(librariesCountMax)).toBe(librariesCountMax);
    expect(followed(librariesCountMax + 1)).toBe(librariesCountMax);
  });

  test("counting those that it has vouched for before; that there are more is told", () => {
    const before = (count: number) =>
      Array.from({ length: count }, (_, n) => pin(`former-${n}`, library.id, "horizon"));
    const room = held(vouching("oslo", library.id), [pinned, ...before(librariesCountMax - 1)]);
    expect(vouchedPins(room)).toHaveLength(1);
    expect(vouchingProblems(room)).toEqual([]);
    const full = held(vouching("oslo", library.id), [pinned, ...before(librariesCountMax)]);
    expect(vouchedPins(full)).toEqual([]);
    expect(vouchingProblems(full)).toEqual([
      "horizon: 64 of its libraries are followed, and not 1 more",
    ]);
  });
});

describe("a report says of libraries", () => {
  const oslo = new Project("oslo", library.ledger(), []);
  const report = create(ReportRequestSchema, {
    project: "horizon",
    version: "2.3.0",
    health: "FAILED",
    instance: "i-1",
    features: ["secret"],
    dependencies: [
      { project: "oslo", version: "7.1" },
      { project: "unknown", version: "1" },
    ],
  });

  test("their version and health, as reports of their own that nothing else is in", () => {
    const holdings = held(vouching("oslo", library.id), [pinned], [oslo]);
    expect(libraryReports(holdings, report)).toEqual([
      {
        project: oslo,
        report: create(ReportRequestSchema, {
          project: "oslo",
          version: "7.1",
          health: "FAILED",
          instance: "horizon i-1",
        }),
      },
    ]);
  });

  test("nothing that the application does not vouch for, or of another authority", () => {
    expect(libraryReports(held({}, [pinned], [oslo]), report)).toEqual([]);
    const other = held(vouching("oslo", seedOf("other")), [pinned], [oslo]);
    expect(libraryReports(other, report)).toEqual([]);
  });
});

/** A node that holds both projects, and takes reports of both. */
function nodeOfBoth(): { node: SteppedNode; tell: (project: string, of: Told) => void } {
  const node = rootNode();
  const { ledgerKey, beatKey } = library.writer;
  const seeds = { ledgerSeed: ledgerKey.seed, beatSeed: beatKey.seed };
  valueOf(node.ask((call) => ({ kind: "prepare-ledger", call, project: "oslo", ...seeds })));
  const { trust } = library;
  valueOf(node.ask((call) => ({ kind: "create-ledger", call, project: "oslo", trust })));
  valueOf(node.commit(vouching("oslo", library.id)));
  const tell = (project: string, of: Told): void => {
    const { instance, version = "1.0", health = "OK" } = of;
    const dependencies = project === "horizon" ? [{ project: "oslo", version }] : [];
    const said = { project, version, health, instance, dependencies };
    const report = create(ReportRequestSchema, said);
    valueOf(node.ask((call) => ({ kind: "report", call, report })));
  };
  return { node, tell };
}

interface Told {
  readonly instance: string;
  readonly version?: string;
  readonly health?: string;
}

test("an instance that reports a library itself counts once, whichever report comes first", () => {
  const { node, tell } = nodeOfBoth();
  const count = (): number => valueOf(node.node.reads.fleet("oslo", node.wallMs)).instancesCount;
  tell("horizon", { instance: "i-1" });
  expect(count()).toBe(1);
  for (const project of ["oslo", "horizon", "oslo"]) tell(project, { instance: "i-1" });
  expect(count()).toBe(1);
  tell("oslo", { instance: "i-2" });
  tell("horizon", { instance: "i-2" });
  tell("horizon", { instance: "i-3" });
  expect(count()).toBe(3);
});

test("and is judged once: twelve instances are not the twenty that a verdict needs", () => {
  const { node, tell } = nodeOfBoth();
  valueOf(node.commit(releaseEntries("1.0", "2.0"), "oslo"));
  const judged = (count: number): number | undefined => {
    for (const [version, health] of [
      ["1.0", "OK"],
      ["2.0", "FAILED"],
    ] as const)
      for (let n = 0; n < count; n++)
        for (const project of ["horizon", "oslo"])
          tell(project, { instance: `${version}-${n}`, version, health });
    node.wait(1.1 * 3_600_000);
    const { health } = valueOf(node.node.reads.fleet("oslo", node.wallMs));
    return health?.releases.find(({ release }) => release === "2.0")?.judgement;
  };
  expect(judged(12)).toBe(0);
  // At the next look.
  node.wait(4.5 * 3_600_000);
  expect(judged(24)).toBe(3);
});
