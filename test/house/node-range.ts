/**
 * Whether a package whose manifest says this of `engines.node` is for the first Node of this major.
 * What is written in a way that is not known here is for none: then this has to learn it.
 */
export function admits(range: string, major: number): boolean {
  return range.split("||").some((part) => comparatorsOf(part).every((one) => holds(one, major)));
}

/** `>= 18.0.0 <21` as two; nothing at all is everything. */
function comparatorsOf(part: string): string[] {
  const tight = part.trim().replace(/([<>=^~])\s+/g, "$1");
  return tight === "" ? ["*"] : tight.split(/\s+/);
}

const form = /^(?<how>[<>]=?|[=^~]?)v?(?<major>\d+)(\.(?<minor>\d+|[x*])(\.(?<patch>\d+|[x*]))?)?$/;

function holds(comparator: string, major: number): boolean {
  if (comparator === "*") return true;
  const { how = "", minor, patch, ...bound } = form.exec(comparator)?.groups ?? {};
  if (bound["major"] === undefined) return false;
  const boundMajor = Number(bound["major"]);
  const isFirst = [minor, patch].every((part) => part === undefined || /^[0x*]$/.test(part));
  switch (how) {
    case ">=":
      return major > boundMajor || (major === boundMajor && isFirst);
    case ">":
      return major > boundMajor;
    case "<":
      return major < boundMajor || (major === boundMajor && !isFirst);
    case "<=":
      return major <= boundMajor;
    default:
      return major === boundMajor && isFirst;
  }
}
