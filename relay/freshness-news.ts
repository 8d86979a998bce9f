import { type Effect, logged } from "./effect.ts";
import type { Moment } from "./event.ts";
import type { Holdings } from "./holdings.ts";
import type { Freshness } from "./ledger/freshness.ts";

/** How old each project's data was when watchers were last told of it. */
export class FreshnessNews {
  readonly #projects: Holdings["projects"];
  readonly #labels = new Map<string, Freshness>();

  constructor(projects: Holdings["projects"]) {
    this.#projects = projects;
  }

  /**
   * Tells watchers when data has become older, or newer, without a flag having changed.
   * @param names the projects that are looked at; all, where not given
   */
  expose(at: Moment, names?: Iterable<string>): Effect[] {
    return [...new Set(names ?? this.#projects.keys())].flatMap((name): Effect[] => {
      const project = this.#projects.get(name);
      if (project === undefined) return [];
      const label = project.freshness(at.wallMs);
      const former = this.#labels.get(project.name);
      this.#labels.set(project.name, label);
      if (label === former) return [];
      const exposure = { project: project.name, changes: [], vocabulary: false };
      const message = `${project.name} is ${label}`;
      return [
        { kind: "expose", exposure },
        logged(label === "FRESH" ? "info" : "warn", "freshness-changed", message),
      ];
    });
  }
}
