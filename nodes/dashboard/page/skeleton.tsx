import type { JSX } from "preact";

/** In the place of what has not come yet. */
export function Skeleton(): JSX.Element {
  return (
    <div class="skeleton" role="status" aria-label="Asking the node">
      <span />
      <span />
      <span />
    </div>
  );
}
