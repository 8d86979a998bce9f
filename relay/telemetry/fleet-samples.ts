import { create, toBinary } from "@bufbuild/protobuf";
import { FleetSampleSchema } from "../../gen/headwater/v1/fleet_pb.ts";
import { digits } from "../durable.ts";
import type { Write } from "../effect.ts";
import type { Project } from "../layers/project.ts";
import type { Fleet } from "./fleet.ts";

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

  /** Nothing of a project that nobody reports of. */
  due(project: Project, wallMs: number): Write[] {
    const window = Math.floor(wallMs / this.#windowMs);
    if (this.#sampled.get(project.name) === window) return [];
    this.#sampled.set(project.name, window);
    const { weights, reportersCount } = this.#fleet(project, wallMs);
    if (reportersCount === 0) return [];
    const atMs = BigInt(Math.floor(wallMs));
    const sample = create(FleetSampleSchema, { atMs, weights, reportersCount });
    const key = `${project.name}/${digits(window, 15)}`;
    return [{ bucket: "sample", key, value: toBinary(FleetSampleSchema, sample) }];
  }
}
