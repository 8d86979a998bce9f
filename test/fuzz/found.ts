import type { Verdict } from "./target.ts";

interface Found {
  readonly target: string;
  /** In `found/`. */
  readonly file: string;
  /** What was wrong. */
  readonly what: string;
  /** What has to become of it, where that is what was wrong. */
  readonly verdict?: Verdict;
}

/** Inputs that found something in our own code, made short. All of it was mended. */
export const found: readonly Found[] = [
  {
    target: "flag files",
    file: "long-name.yaml",
    what: "a problem repeated a name of eight thousand characters",
  },
  {
    target: "entries",
    file: "empty-key-twice.bin",
    what: "the refusal of a key that comes twice did not say what of",
  },
  {
    target: "stored records",
    file: "disclosure-no-text.bin",
    what: "a node did not start, and did not say which record it could not read",
  },
  {
    target: "configuration files",
    file: "proto-key.toml",
    what: "a setting that there is not was passed over",
    verdict: "refused",
  },
  {
    target: "tokens",
    file: "long-pin.bin",
    what: "a refusal repeated the name of a project of seventeen thousand characters",
    verdict: "refused",
  },
  {
    target: "stored records",
    file: "head-without-grant.bin",
    what: "with its grant gone too, an altered head was served without a look at its signature",
    verdict: "refused",
  },
  {
    target: "stored records",
    file: "long-record-key.bin",
    what: "an error repeated the key of a record of three thousand characters",
    verdict: "refused",
  },
  {
    target: "environments",
    file: "nats-url-of-tabs.txt",
    what: "an address that had passed the check of the setting was none when it was used",
    verdict: "refused",
  },
  {
    target: "environments",
    file: "nats-url-of-percents.txt",
    what: "so was one whose password can not be decoded",
    verdict: "refused",
  },
  {
    target: "trust files",
    file: "long-key.toml",
    what: "a problem repeated a key of two thousand characters",
    verdict: "refused",
  },
  {
    target: "flagd definitions",
    file: "long-member.bin",
    what: "what is lost repeated the name of a member of three thousand characters",
  },
];
