import { fromBinary } from "@bufbuild/protobuf";
import { SyncFlagsResponseSchema } from "../../../gen/flagd/sync/v1/sync_pb.ts";

/** So many flags of flagd, each in a share of instances, and the first with a number in its share. */
export function flagdFlags(count: number, number: number): string {
  const flags = Array.from({ length: count }, (_, n) => [
    `flag-${n}`,
    flagWith(n === 0 ? number : 1_000),
  ]);
  return JSON.stringify({ flags: Object.fromEntries(flags) });
}

function flagWith(basisPoints: number): object {
  const fractional = [
    ["on", basisPoints],
    ["off", 10_000 - basisPoints],
  ];
  const variants = { on: true, off: false };
  return { state: "ENABLED", variants, defaultVariant: "off", targeting: { fractional } };
}

/** The number that the first flag has in an answer of `SyncFlags`. */
export function flagdNumber(message: Buffer): number | undefined {
  const { flagConfiguration } = fromBinary(SyncFlagsResponseSchema, message);
  const { flags } = JSON.parse(flagConfiguration);
  return flags?.["flag-0"]?.targeting?.fractional?.[0]?.[1];
}
