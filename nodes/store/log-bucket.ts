import type { Bucket, logBuckets } from "../../relay/effect.ts";
import {
  auditRecordsMax,
  decisionsCountMax,
  fleetSamplesMax,
  sentDocumentsMax,
} from "../../relay/limits.ts";

/** A bucket that is read on demand and cut to a length. */
export type LogBucket = (typeof logBuckets)[number];

/** How many of its newest records a log bucket keeps. */
export const logLengths: Readonly<Record<LogBucket, number>> = {
  audit: auditRecordsMax,
  sent: sentDocumentsMax,
  sample: fleetSamplesMax,
  decision: decisionsCountMax,
};

export function isLogBucket(bucket: Bucket): bucket is LogBucket {
  return Object.hasOwn(logLengths, bucket);
}
