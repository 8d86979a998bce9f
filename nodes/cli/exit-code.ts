import { ConnectError } from "@connectrpc/connect";
import type { HeadwaterError } from "../error.ts";

/** What a command ends with, for scripts. */
export const exitCode = {
  done: 0,
  /** The answer is no; also: there is no such project, flag or child. */
  no: 1,
  usage: 2,
  /** The node can not be reached, or refused. */
  refused: 3,
  /** It can not be known yet. */
  unknown: 4,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

/** What was wrong before a node was asked is wrong usage; what a node finds wrong, it refused. */
export function exitCodeOf(error: HeadwaterError): ExitCode {
  if (error.kind === "unknown") return exitCode.no;
  if (error.cause instanceof ConnectError) return exitCode.refused;
  if (error.kind === "invalid") return exitCode.usage;
  return error.kind === "unavailable" ? exitCode.unknown : exitCode.refused;
}
