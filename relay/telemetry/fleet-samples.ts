import { create, toBinary } from "@bufbuild/protobuf";
import { FleetSampleSchema } from "../../gen/headwater/v1/fleet_pb.ts";
import { digits } from "../durable.ts";
import type { Write } from "../effect.ts";
import type { Project } from "../layers/project.ts";
import type { Fleet } from "./fleet.ts";

/**
 * Ticks that the projects of a node are sampled in, as a window begins and after a start. There is one
 * each second, at the least; 300 projects with 20 children each take seconds together.
 */
const turnsMax = 60;

/** A window has a turn for each so much of it: all have come long before it ends. */
const spreadMs = 10_000;

/**
 * What fleets were like, once in each window, for whoever looks back. A sample is written under the
 * number of its window, so that a restart makes no second one.
 */
export class FleetSamples {
  readonly #windowMs: number;
  readonly #fleet: (project: Project, wallMs: number) => Fleet;
  /** The window that was last sampled, by project. */
  readonly #sampled = new Map<string, number>();

  constructor(windowMs: number, fleet: (project: Project, wallMs: number) => Fleet) {
    this.#windowMs = windowMs;
    this.#fleet = fleet;
  }

  /** Those whose turn it is. */
  due(projects: Iterable<Project>, wallMs: number): Write[] {
    const all = [...projects];
    const window = Math.floor(wallMs / this.#windowMs);
    const unsampled = all.filter(({ name }) => this.#sampled.get(name) !== window);
    const turnsCount = Math.max(1, Math.min(turnsMax, Math.floor(this.#windowMs / spreadMs)));
    return unsampled
      .slice(0, Math.ceil(all.length / turnsCount))
      .flatMap((project) => this.#sample(project, { window, wallMs }));
  }

  /** Nothing of a project that nobody reports of. */
  #sample(project: Project, of: { window: number; wallMs: number }): Write[] {
    const { window, wallMs } = of;
    this.#sampled.set(project.name, window);
    const { weights, reportersCount } = this.#fleet(project, wallMs);
    if (reportersCount === 0) return [];
    const atMs = BigInt(Math.floor(wallMs));
    const sample = create(FleetSampleSchema, { atMs, weights, reportersCount });
    const key = `${project.name}/${digits(window, 15)}`;
    return [{ bucket: "sample", key, value: toBinary(FleetSampleSchema, sample) }];
  }
}
