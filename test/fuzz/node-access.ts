import type { Happening, NodeAccess } from "../../nodes/access.ts";
import { HeadwaterError } from "../../nodes/error.ts";
import type { SteppedNode } from "../relay/stepped-node.ts";
import { assertEffects } from "./refusals.ts";

/** A node as its edges see it. What goes wrong inside is kept, as edges may log it and go on. */
export class FuzzAccess implements NodeAccess {
  readonly node: SteppedNode;
  readonly ailment = undefined;
  thrown: unknown;

  constructor(node: SteppedNode) {
    this.node = node;
  }

  get reads(): NodeAccess["reads"] {
    return this.node.node.reads;
  }

  now(): { wallMs: number; monoMs: number } {
    const { wallMs, monoMs } = this.node;
    return { wallMs, monoMs };
  }

  tell(happening: Happening): void {
    try {
      assertEffects(this.node.tell(happening));
    } catch (thrown) {
      this.thrown = thrown;
    }
  }

  async ask<T>(happening: (call: number) => Happening): Promise<T> {
    const outcome = this.node.ask<T>(happening);
    if (outcome.ok) return outcome.value;
    throw HeadwaterError.refused(outcome.refusal);
  }

  onExpose(): void {}

  list(): readonly Uint8Array[] {
    return [];
  }
}
