/** A name has a hundred characters at most: what is longer is none, and its beginning shows which it is. */
const shownLengthMax = 120;

/** A text from outside as it stands in a message: in quotes, on one line, and cut where it is long. */
export function quoted(text: string, lengthMax: number = shownLengthMax): string {
  return JSON.stringify(text.length > lengthMax ? `${text.slice(0, lengthMax)}…` : text);
}
