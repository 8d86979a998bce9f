import { create } from "@bufbuild/protobuf";
import { type ReportRequest, ReportRequestSchema } from "../gen/headwater/v1/apps_pb.ts";
import { type ProjectPin, ProjectPinSchema } from "../gen/headwater/v1/mesh_pb.ts";
import type { Holdings } from "./holdings.ts";
import type { Project } from "./layers/project.ts";
import { librariesCountMax } from "./limits.ts";
import { bytesEqual, toHex } from "./trust/key.ts";

/**
 * Libraries that a held application's own signed ledger names, and that are not pinned yet. Only
 * what an operator pinned may vouch: a library's libraries are its own root's business.
 */
export function vouchedPins(holdings: LibraryHoldings): ProjectPin[] {
  const fresh = new Map<string, ProjectPin>();
  for (const { application, libraries, room } of unpinnedLibraries(holdings)) {
    const others = libraries.filter(([project]) => !fresh.has(project));
    for (const [project, authority] of others.slice(0, room)) {
      const vouched = { project, authority, vouchedBy: application };
      fresh.set(project, create(ProjectPinSchema, vouched));
    }
  }
  return [...fresh.values()];
}

/** Those that it vouched for before count too: nothing that was pinned is forgotten by itself. */
function unpinnedLibraries({ pins, projects, pinOf }: LibraryHoldings): {
  application: string;
  libraries: [project: string, authority: Uint8Array][];
  room: number;
}[] {
  return pins.flatMap(({ project: application, vouchedBy }) => {
    const named = vouchedBy === "" ? (projects.get(application)?.own.libraries ?? []) : [];
    const libraries = [...named].filter(([library]) => pinOf(library) === undefined);
    if (libraries.length === 0) return [];
    const followed = pins.filter((pin) => pin.vouchedBy === application);
    const room = Math.max(0, librariesCountMax - followed.length);
    return [{ application, libraries, room }];
  });
}

/** What is wrong with what applications vouch for, a sentence each. */
export function vouchingProblems(holdings: LibraryHoldings): string[] {
  const { projects, pinOf } = holdings;
  const crowds = unpinnedLibraries(holdings).filter(({ room }) => room === 0);
  const tooMany = crowds.map(
    ({ application, libraries }) =>
      `${application}: ${librariesCountMax} of its libraries are followed, and not ${libraries.length} more`,
  );
  return [...tooMany, ...otherAuthorities({ projects, pinOf })];
}

/** Applications that vouch for another authority than the one that is pinned. */
function otherAuthorities({
  projects,
  pinOf,
}: Pick<LibraryHoldings, "projects" | "pinOf">): string[] {
  return [...projects.values()].flatMap(({ name, own }) =>
    [...own.libraries].flatMap(([library, authority]) => {
      const pinned = pinOf(library)?.authority;
      if (pinned === undefined || bytesEqual(pinned, authority)) return [];
      const other = toHex(authority);
      return [
        `${library}: ${name} vouches for authority ${other}, pinned here is ${toHex(pinned)}`,
      ];
    }),
  );
}

/** Whether an application that is held vouches for a project as it is held here. */
export function vouchesFor(
  { projects, pinOf }: Pick<LibraryHoldings, "projects" | "pinOf">,
  of: { application: string; library: string },
): boolean {
  const authority = projects.get(of.application)?.own.libraries.get(of.library);
  const held = pinOf(of.library)?.authority;
  return authority !== undefined && held !== undefined && bytesEqual(authority, held);
}

/**
 * What an application's report says of its libraries, as reports of theirs: those that its own
 * ledger vouches for, of the authority that is held. Nothing in them names the application but the
 * instance, which never leaves the site.
 */
export function libraryReports(
  { projects }: Pick<LibraryHoldings, "projects">,
  report: ReportRequest,
): { project: Project; report: ReportRequest }[] {
  const vouched = projects.get(report.project)?.own.libraries;
  const said = new Map(report.dependencies.map((one) => [one.project, one.version]));
  return [...said].flatMap(([name, version]) => {
    const project = projects.get(name);
    const authority = vouched?.get(name);
    if (project === undefined || authority === undefined) return [];
    if (!bytesEqual(project.ownLedger.name.authority, authority)) return [];
    const { health } = report;
    const instance = instanceInside(report.project, report.instance);
    const { last } = report;
    const own = create(ReportRequestSchema, { project: name, version, health, instance, last });
    return [{ project, report: own }];
  });
}

/**
 * Under what names an instance that reports a library itself may have been taken as part of an
 * application: it counts once.
 */
export function reportedInside(
  { projects }: Pick<LibraryHoldings, "projects">,
  { project, instance }: ReportRequest,
): string[] {
  return [...projects.values()].flatMap(({ name, own }) =>
    own.libraries.has(project) ? instanceInside(name, instance) : [],
  );
}

/** Two applications may have instances of one id, and each has the library in it. */
function instanceInside(application: string, instance: string): string {
  return `${application} ${instance}`;
}

interface LibraryHoldings {
  readonly pins: Holdings["pins"];
  readonly projects: Holdings["projects"];
  readonly pinOf: (project: string) => ProjectPin | undefined;
}
