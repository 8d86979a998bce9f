import type { Trusted } from "./trusted.ts";

/**
 * How much of an authority's documents a writer knew when it signed. Roots follow each other, and
 * grants of one root only become more, so that two numbers tell whether somebody lacks any.
 */
export interface SaidTrust {
  /** 0: not said. */
  readonly rootVersion: number;
  readonly grantsCount: number;
}

export function saidTrust(trusted: Trusted | undefined): SaidTrust {
  if (trusted === undefined) return { rootVersion: 0, grantsCount: 0 };
  return { rootVersion: trusted.root.version, grantsCount: trusted.grants.length };
}

/** What is known there and has not come here, as `it knows of …`; undefined for nothing. */
export function missingTrust({ root, grants }: Trusted, said: SaidTrust): string | undefined {
  if (said.rootVersion > root.version)
    return `root ${said.rootVersion}, and none after root ${root.version} has come`;
  if (said.rootVersion < root.version || said.grantsCount <= grants.length) return undefined;
  return `${said.grantsCount} grants of root ${root.version}, and ${grants.length} have come`;
}
