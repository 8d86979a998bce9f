import { Metadata, type ServerErrorResponse, type StatusObject } from "@grpc/grpc-js";
import { toConnect } from "../error.ts";

/** An error as it goes to the other node: its code, the message for people, the hint. */
export function callError(thrown: unknown): ServerErrorResponse {
  const error = toConnect(thrown);
  const { rawMessage: message } = error;
  const metadata = new Metadata();
  for (const [name, value] of error.metadata) metadata.set(name, value);
  // Connect's codes are gRPC's.
  const code: number = error.code;
  return { name: "Error", message, details: message, code, metadata };
}

/** A sentence and a hint of ours are far below it. */
const statusTextLengthMax = 500;

/** What the other node said about its error, and what to do if it said that; fit for a line. */
export function statusText({ details, metadata }: StatusObject): string {
  const [hint] = metadata.get("headwater-hint");
  const text = hint === undefined ? details : `${details}. ${decoded(String(hint))}`;
  return text.replaceAll(/\p{Cc}+/gu, " ").slice(0, statusTextLengthMax);
}

function decoded(hint: string): string {
  try {
    return decodeURIComponent(hint);
  } catch {
    return hint;
  }
}
