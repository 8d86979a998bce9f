import { entryKeyLengthMax, versionLengthMax } from "../../../relay/limits.ts";

const lengthMax = Math.min(versionLengthMax, entryKeyLengthMax - "alias/".length);

export const buildNameMend = `write 1 to ${lengthMax} characters of ASCII without spaces`;

/** Builds of vendors have names of their own, such as `1:2.3.0-4~el9`. */
export function isBuildName(name: string): boolean {
  return name.length <= lengthMax && /^[\x21-\x7e]+$/.test(name);
}
