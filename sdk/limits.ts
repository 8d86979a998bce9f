/**
 * Every bound and rhythm of the library in one place, each with its reason. What a node checks as
 * well has the node's value, or reports would be refused.
 */

/** How long `connect()` waits for flags, unless told otherwise: a local node answers in far less. */
export const connectWaitMs = 2_000;

/** Nobody waits a day for flags, and timers count no further than 24 days. */
export const connectWaitMsMax = 86_400_000;

/** Full jitter between 0 and a bound that doubles from the first to the second. */
export const backoffMsMin = 500;
export const backoffMsMax = 30_000;

/**
 * The same between two looks at other nodes while the one that serves is not FRESH. The apps of a node
 * hear of that together, and where a site is cut off none of its nodes is FRESH for as long.
 */
export const searchMsMin = 5_000;
export const searchMsMax = 60_000;

/** From dialling to the first frame: longer than a node that has nothing to send is silent. */
export const firstFrameMsMax = 20_000;

/** A stream that is silent for three of the node's heartbeats is taken down. */
export const frameSilenceMsMax = 45_000;

/** For so much longer at most, after its machine has slept, a stream that the sleep has cut is believed. */
export const wakeMsMax = 5_000;

/** For so long flags are kept that no node has come as far as: as long as a node waits to catch up. */
export const behindMsMax = 300_000;

/** A node that does not take a report for this long is passed over. */
export const reportMsMax = 10_000;

/** Between two reports that do not wait: an app whose health flaps must not flood its node. */
export const reportGapMs = 1_000;

/** The next report, where the node does not say when, and the bounds of what it may say. */
export const reportIntervalMs = 3_600_000;
export const reportIntervalMsMin = 1_000;
export const reportIntervalMsMax = 86_400_000;

/** Share by which a report comes earlier or later, so that apps started together drift apart. */
export const reportJitter = 0.1;

/** What `close()` waits for its last report and write: nobody wants a program that does not end. */
export const closeMsMax = 1_000;

/** What a report may carry; what is past it goes unsaid. */
export const reportFlagsMax = 1_000;
export const reportFeaturesMax = 1_000;
export const reportCrashesMax = 10;

/** The same of libraries, none of which may go unsaid: a census would take it for unused. */
export const reportDependenciesMax = 200;

/** Instance ids: a UUID is 36, a Kubernetes pod name 63. */
export const instanceLengthMax = 200;

/** Versions of builds, whether published or not. */
export const versionLengthMax = 100;

/** Nodes to try in order. */
export const urlsCountMax = 16;

/** As many as one project may have. */
export const tableFlagsMax = 50_000;

/** A full table is under 8 MiB on the wire, too: a longer frame, or answer, is no node's. */
export const answerBytesMax = 16 * 1024 * 1024;

/** A full table is under 8 MiB as JSON; a larger file is none of ours. */
export const cacheBytesMax = 16 * 1024 * 1024;

/** How long `connect()` waits for its cache file at most, of the wait for flags: a disk may be away. */
export const cacheReadMsMax = 2_000;

/** Between two writes of the cache file, however fast the flags change; what turns something off goes at once. */
export const cacheWriteGapMs = 1_000;

/** To the next write after one that failed: the gap doubles up to this, as a disk may stay full for days. */
export const cacheRetryMsMax = 60_000;
