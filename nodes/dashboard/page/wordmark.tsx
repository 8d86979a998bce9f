import type { JSX } from "preact";

export function Wordmark(): JSX.Element {
  return (
    <span class="wordmark">
      <svg viewBox="0 0 32 32" aria-hidden="true">
        <path d="M16 3v8M16 11c0 7-9 4-9 11v7M16 11c0 7 9 4 9 11v7M16 13v16" />
      </svg>
      Headwater
    </span>
  );
}
