import fc from "fast-check";

const number = fc.oneof({ weight: 4, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.nat() });

const numbers = fc.array(number, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("."));

const identifier = fc.oneof(
  number.map(String),
  fc.constantFrom("rc", "alpha", "beta", "x-y", "0a", "-"),
);

const prerelease = fc.array(identifier, { maxLength: 3 }).map((parts) => parts.join("."));

const build = fc.constantFrom("", "+7", "+g1f2e.01");

/** Texts of versions, from a small space so that equal ranks and near misses are common. */
export const versionText: fc.Arbitrary<string> = fc
  .tuple(numbers, prerelease, build)
  .map(([dotted, pre, metadata]) => `${dotted}${pre === "" ? "" : `-${pre}`}${metadata}`);
