import type { JSX } from "preact";

/** A note as its author wrote it; an address in it can be followed. */
export function Note({ text }: { text: string }): JSX.Element | null {
  if (text === "") return null;
  const parts = text.split(/(https:\/\/[^\s,;)]+)/);
  return (
    <p class="note">
      {parts.map((part) =>
        part.startsWith("https://") ? (
          <a key={part} href={part} rel="noreferrer noopener" target="_blank">
            {part.replace("https://", "")}
          </a>
        ) : (
          part
        ),
      )}
    </p>
  );
}
