/** The rhythms of the protocol, in milliseconds. */

export const secondMs = 1_000;
export const minuteMs = 60 * secondMs;
export const dayMs = 24 * 60 * minuteMs;

/** How often a ledger's writer says that its head is still the newest. */
export const beatIntervalMs = 60 * secondMs;

/** Without a beat for this long data is STALE. */
export const staleAfterMs = 5 * minuteMs;

/** A beat says for how long data is not EXPIRED; this is what our own beats say. */
export const beatExpiryMs = 7 * dayMs;

/** A head or beat from further in the future than this is refused. */
export const clockSkewMsMax = 5 * minuteMs;

/** The longest silence of a link that lives. */
export const heartbeatIntervalMs = 15 * secondMs;

/** The longest silence of a stream of events to flagd's clients, as flagd has it. */
export const eventKeepAliveMs = 20 * secondMs;

/** A link that is silent for this many heartbeats is taken down. */
export const heartbeatsMissedMax = 2;

/** From dialling to the first frame. */
export const dialDeadlineMs = 10 * secondMs;

/** Full jitter between 0 and a bound that doubles from the first to the second. */
export const backoffMsMin = 500;
export const backoffMsMax = 30 * secondMs;

/** The same for one ledger of a link, when something of it did not check. */
export const barMsMin = 1 * secondMs;
export const barMsMax = 5 * minuteMs;

/**
 * Between two times that a parent is shown all that it lacks, beside what it is told: once may be lost, and
 * it may have refused it by a clock that is right now.
 */
export const showAgainIntervalMs = 1 * minuteMs;

/** Between two calls that ask a parent to serve ledgers anew: those due meanwhile go together. */
export const askAgainIntervalMs = 250;

/** A parent of protocol 1 is asked again by dialling anew; its other ledgers wait for that. */
export const redialIntervalMs = 5 * secondMs;

/** A snapshot of which nothing more comes is given up; so is a link that takes no frame. */
export const stalledAfterMs = 2 * minuteMs;

/** A snapshot that nobody is being sent is kept for so long, for the others of a storm. */
export const snapshotKeptMs = 10 * secondMs;

/** The longest that a parent's word on when to come again is taken for. */
export const retryAfterMsMax = 10 * minuteMs;

/** When a node comes again whose name is taken, or whom another has replaced. */
export const takenRetryMs = 30 * secondMs;

/** When a node comes again that its parent had no room for. */
export const overloadRetryMs = 30 * secondMs;

/**
 * How long a node on a copy of its data waits for its children: each dials again within the largest
 * back-off and a deadline, twice, and then has a minute to give back what it holds.
 */
export const copyWaitMs = 2 * (backoffMsMax + dialDeadlineMs) + minuteMs;

/** Between two ways of a ledger that children are told of, once it has changed too often; up to twice as long. */
export const wayChangeIntervalMs = 30 * secondMs;

/** Windows of documents: of shorter ones a parent would be flooded, and longer ones tell it too late. */
export const documentWindowMsMin: number = 1 * secondMs;
export const documentWindowMsMax: number = 7 * dayMs;

/** A document that could not be handed over is tried again after this, if at all. */
export const documentAgainIntervalMs: number = 30 * secondMs;

/**
 * What trials, crashes and censuses count is made durable this often. What is lost is reported again, mostly;
 * of what a census has lost nobody says that it was watched.
 */
export const writeIntervalMs: number = 1 * minuteMs;

/** The shortest window of a census, unless a node is told otherwise: shorter ones tell how many. */
export const censusWindowMsMin = 30 * dayMs;

/** A question that nobody closes goes on for so long. */
export const censusLifeMs = 365 * dayMs;

/** How often the nodes of a site say that they are there, and compare what they hold. */
export const peerIntervalMs = 10 * secondMs;

/** Between two questions of one node to its peers. */
export const peerAskIntervalMs = 1 * secondMs;

/**
 * How long a node of a site leaves a document to each node whose turn is before its own; in windows
 * of less than ten of these, a tenth of the window.
 */
export const turnMs = 10 * secondMs;

/** How often an app reports when nothing happens. */
export const reportIntervalMs = 60 * minuteMs;
