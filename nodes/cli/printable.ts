/** A control character, with what makes a colour of an escape. */
const controls = /\p{Cc}(?<color>\[\d*m)?/gu;

const escape = "\u001b";

/**
 * A text as it may be printed: names and notes come from others, and what a terminal takes for an
 * order in them is shown instead. It is written so that JSON stays the same JSON.
 */
export function printable(text: string): string {
  return text.replace(controls, (found: string, color: string | undefined) => {
    const control = found.charAt(0);
    const isOurs = control === escape && color !== undefined;
    if (isOurs || control === "\n" || control === "\t") return found;
    return `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}${found.slice(1)}`;
  });
}
