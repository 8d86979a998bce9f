/** A sentence is at most so long. */
const sentenceLengthMax = 600;

/** A name has a hundred characters at most: what is longer is none, and its beginning shows which it is. */
const shownLengthMax = 120;

/** A text from outside as it stands in a message: in quotes, on one line, and cut where it is long. */
export function quoted(text: string, lengthMax: number = shownLengthMax): string {
  return JSON.stringify(text.length > lengthMax ? `${text.slice(0, lengthMax)}…` : text);
}

/** A sentence that holds texts from outside: of one that goes on for pages, its beginning and its end. */
export function shortened(sentence: string, lengthMax: number = sentenceLengthMax): string {
  if (sentence.length <= lengthMax) return sentence;
  const half = Math.floor(lengthMax / 2);
  return `${sentence.slice(0, half)} … ${sentence.slice(-half)}`;
}
