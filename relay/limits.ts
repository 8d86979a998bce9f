/**
 * Every bound in one place, each with its reason. A value past its bound is refused with an error
 * that names the field; it never grows a queue, a map or a disk.
 */

/** A flag with a long note and twenty rollout steps is under 4 KiB. */
export const entryBytesMax = 16 * 1024;

/** `<kind>/<name>`: the longest kind and the longest name, with room for an overlay's `*`. */
export const entryKeyLengthMax = 128;

/** Ten thousand flags and as many releases, features and rules, with room to spare. */
export const ledgerEntriesMax = 50_000;

/** What one ledger may hold in memory and in a snapshot. */
export const ledgerBytesMax = 64 * 1024 * 1024;

/** A commit travels as one frame, so it has to fit one. */
export const commitEntriesMax = 20_000;

/** A head with the longest names is under 300 bytes, a beat under 60: newer ones may say more. */
export const headBytesMax = 4 * 1024;

/** One frame below grpc's default receive limit of 4 MiB; larger changes travel as a snapshot. */
export const frameBytesMax = 2 * 1024 * 1024;

/** What a child takes as one frame: a newer parent's may be larger than ours. */
export const frameReceivedBytesMax = 2 * frameBytesMax;

/**
 * What a parent takes as one request: holdings of a full node, or a document of a full vocabulary
 * with names of twenty letters, are below 3 MiB.
 */
export const meshRequestBytesMax = 4 * 1024 * 1024;

/** A snapshot written whole costs each child its size in the server; 64 KiB chunks do not. */
export const chunkBytesMax = 64 * 1024;

/** Positions a child may resume from; past it, a snapshot. */
export const historyLengthMax = 1_000;

/** Terms and sequences are 32 bits wide: a commit each second would take 136 years. */
export const sequenceMax = 0xffff_ffff;

/** The project's own ledger and its overlays: more authorities than a chain has hops. */
export const layersCountMax = 8;

/** Projects that one node carries. */
export const projectsCountMax = 1_000;

/** Rotations of a root over its life, and grants in force at once. */
export const rootsCountMax = 64;
export const grantsCountMax = 256;
/**
 * Payloads of all roots and grants of a ledger, which travel as one frame with all that is around
 * them: 64 roots and 256 grants are below 100 KiB, but for those that name hundreds of flags each.
 */
export const trustBytesMax = 512 * 1024;
/** Grants of ledger keys that are kept after their root, for heads that are held still. */
export const endedGrantsCountMax = 64;
export const rootKeysCountMax = 16;
export const signaturesCountMax = 32;
/**
 * All of an envelope but its payload: so many signatures and ids of keys are below 3 KiB. Who relays
 * it can put more there, and everybody below would have to keep it and pass it on.
 */
export const envelopeRestBytesMax = 4 * 1024;

/** Parents that one site may have. */
export const upstreamsCountMax = 16;
export const addressesCountMax = 16;

/** Live links of one process; about 100 KiB each over TLS. */
export const childrenCountMax = 5_000;

/** When all children dial anew, their former connections may still be there. */
export const meshConnectionsMax = 2 * childrenCountMax;

/** Calls at once on one connection: RFC 9113, 6.5.2, advises against fewer than 100. */
export const meshStreamsMax = 100;

/**
 * Connections from below: of one address, behind which a whole site may be, and of all. Each costs
 * a TLS handshake, about a millisecond; a storm of all children is over in a minute.
 */
export const meshDialsBurstMax = 200;
export const meshDialsPerSecondMax = 20;
export const meshDialsTotalBurstMax = 1_000;
export const meshDialsTotalPerSecondMax = 100;

/** Calls from below, likewise. A child makes one to connect, and one for each change it confirms. */
export const meshCallsBurstMax = 500;
export const meshCallsPerSecondMax = 100;
export const meshCallsTotalBurstMax = 10_000;
export const meshCallsTotalPerSecondMax = 2_000;

/** Lines of the log about nodes that are turned away, which may be as many as their calls. */
export const strangerLinesBurstMax = 100;
export const strangerLinesPerSecondMax = 1;

/** Lines of the log that wait until its disk has room again, or somebody reads: some hundreds, and later ones are lost. */
export const logBytesWaitingMax = 64 * 1024;

/** Bytes from one address, of whatever kind: documents of a few projects, again and again. */
export const meshBytesBurstMax = 64 * 1024 * 1024;
export const meshBytesPerSecondMax = 1024 * 1024;

/** Join tokens that a node remembers, revoked ones included. */
export const tokensCountMax = 20_000;

/**
 * What a child shows with each call, as a header in base64: HTTP/2 has room for 64 KiB of all headers
 * of a call. Four hundred projects with names of a hundred letters are below it.
 */
export const credentialBytesMax = 45 * 1024;

/** Credentials whose signature is remembered as right: those of all links that there may be. */
export const openedCredentialsMax = childrenCountMax;

/** A header with a credential has some 400 characters; what is longer is read anew each time. */
export const credentialHeaderKeptMax = 2 * 1024;

/** Frames and bytes handed to the transport of one child and not yet taken by it. */
export const linkFramesInFlightMax = 16;
export const linkBytesInFlightMax = 1024 * 1024;

/**
 * The same for all children together: with more of them each has less, down to two chunks, so that
 * a storm of snapshots takes 64 MiB, and 640 MiB at the most children there may be.
 */
export const linksBytesInFlightMax = 64 * 1024 * 1024;
export const linkBytesInFlightMin = 2 * chunkBytesMax;

/** Ledgers that one link is about: every layer of every project. */
export const holdingsCountMax = projectsCountMax * layersCountMax;

/** Node ids of the way that a ledger came: chains of organisations are short. */
export const hopsCountMax = 32;

/** Other ways of a ledger that children are told of at once; a way changes when a link does. */
export const wayChangesBurstMax = 8;

/** Ids of nodes are 8 random bytes. */
export const nodeIdBytesMax = 32;

/** Snapshots on their way in from one source: an honest parent sends one after the other. */
export const assembliesCountMax = 4;

/**
 * Encoded snapshots of one ledger that children are being sent: the newest, and one that the
 * history no longer reaches. Who was on an older one begins again.
 */
export const snapshotsLiveMax = 2;

/**
 * Frames of one upstream that come to nothing: repetitions, what follows a frame that did not
 * check. A snapshot of a full ledger is a thousand chunks; a site's peers bring each delta twice.
 */
export const idleFramesBurstMax = 5_000;
export const idleFramesPerSecondMax = 100;

/** Offers of one upstream that nobody has asked for: the way of all ledgers may change, and again. */
export const offersBurstMax = 2 * holdingsCountMax;

/** What a parent says about the end of a link, for people. */
export const goodbyeLengthMax = 300;

/** Instances whose latest report is kept, for all projects of a site together. */
export const instancesCountMax = 1_000_000;

/** Versions of one project that instances report, each by its own name; beyond it by the release. */
export const intakeVersionsMax = 10_000;

/** Instances that one side of a trial counts: one in a hundred that fails is seen from far fewer. */
export const trialInstancesMax = 10_000;

/** Instances of all trials of a node together, about 50 bytes each. */
export const trialMembersMax = 1_000_000;

/** Trials of a node, those that are over included: each release and flag has at most one. */
export const trialsCountMax = 10_000;

/** Instances that are remembered as having crashed, in one way and in all, about 60 bytes each. */
export const crashInstancesMax = 10_000;
export const crashSightingsMax = 200_000;

/** Ways to crash of one project that its ledger does not list, for an operator to look at. */
export const unlistedCrashesMax = 100;

/** What a report may carry; above it the report is refused. */
export const reportFlagsMax = 1_000;
export const reportFeaturesMax = 1_000;
export const reportDependenciesMax = 200;
export const reportCrashesMax = 10;

/** Instance ids: a UUID is 36, a Kubernetes pod name 63. */
export const instanceLengthMax = 200;

/** Versions of builds, whether published or not. */
export const versionLengthMax = 100;

/** Notes are a sentence and a link. */
export const noteLengthMax = 2_000;

/**
 * Documents of children that are kept, all together, by what they take in memory: a quarter of what
 * Node allows itself, and 1,500 words with names of twenty letters from each of the most children
 * there may be. Of one project, its children's of each kind.
 */
export const receivedHeapBytesMax = 1024 * 1024 * 1024;
export const receivedPerProjectMax = 2 * childrenCountMax;

/** Words of one list of a document: releases, flags. */
export const vocabularyWordsMax = 20_000;

/**
 * Changes of a flag table that apps may resume from, and flags that these name in all: what touches
 * more is no smaller than a large table. About 200 KiB for each table.
 */
export const tableHistoryLengthMax = 1_000;
export const tableHistoryNamesMax = 10_000;

/** Flag tables kept that nobody watches. */
export const idleTablesMax = 64;

/** Records that one answer to an operator holds. */
export const listLengthMax = 10_000;

/** What one question to a gate asks: each part looks through all that the fleet says. */
export const gateConditionsMax = 100;

/** Steps of a rollout: a plan of more is a slope, and each step is judged anew. */
export const rolloutStepsMax = 20;

/**
 * How long a child's windows of health documents may be for a rollout to wait for them, in windows of
 * its own: a day, where those are an hour.
 */
export const rolloutWindowsMax = 24;

/** Rollouts that a node takes from another of its site: one for each flag that is under way. */
export const rolloutsCountMax = 10_000;

/** Decisions of rollouts kept on disk: waiting for the same is one of them. */
export const decisionsCountMax = 10_000;

/** Audit records and sent documents kept on disk. */
export const auditRecordsMax = 100_000;
export const sentDocumentsMax = 10_000;

/** Samples of fleets kept on disk, of all projects together: four projects for half a year. */
export const fleetSamplesMax = 20_000;

/** Connections to one port: an app holds one, which with a stream costs about 100 KiB. */
export const connectionsCountMax = 10_000;

/**
 * Connections that wait to be accepted at one port, as far as the system allows (`somaxconn`, 4096 on
 * Linux). Who finds no room there is not told so: it tries again after one second, then two, then
 * four, for a minute or two. Node's default of 511 is full when some thousands come at once.
 */
export const connectionsWaitingMax = 4_096;

/** Streams on one HTTP/2 connection: a site's proxy may carry those of all its apps over one. */
export const connectionStreamsMax = 1_000;

/**
 * What a peer takes of a message on such a connection in 30 s, at least: Node tells only when it has
 * all of it. A set of flags of 16 MiB is given up after nine minutes, a small message after one.
 */
export const streamTakenBytesMin = 1024 * 1024;

/** What Node allows by default; a call's own headers are below 2 KiB. */
export const headerBytesMax = 16 * 1024;

/** A report at all its bounds is under 300 KiB as JSON. */
export const appRequestBytesMax = 512 * 1024;

/** Exporters of OpenTelemetry send batches of 512 records or spans, a few KiB each at most. */
export const otlpBodyBytesMax = 4 * 1024 * 1024;

/** Bodies of OTLP that are read or unpacked at once: 64 MiB each way. */
export const otlpBodiesMax = 16;

/** Instances that report by OTLP and are remembered between their batches; about 1 KiB each. */
export const otlpInstancesMax = 20_000;

/** A commit of `frameBytesMax`, grown by a third as base64 in JSON, and its keys. */
export const adminRequestBytesMax = 4 * 1024 * 1024;

/** Origins whose pages may call: the web apps of one organisation. */
export const corsOriginsMax = 100;

/** Watch streams of apps: one for each connection. */
export const watchersCountMax = 10_000;

/** Changes of a flag set that are remembered: a client that has missed more starts afresh. */
export const flagChangesKeptMax = 64;

/**
 * All flags as JSON of flagd, in UTF-16 units: 460 for a percentage, so ten thousand flags are under 5
 * million. Most clients take 4 MiB unless they are told otherwise.
 */
export const flagdJsonLengthMax = 16 * 1024 * 1024;

/** Versions that flag sets are kept encoded for; those past it are encoded for each stream. */
export const flagSetMessagesMax = 64;

/** Streams of effective flags: an operator's terminals and dashboards. */
export const operatorStreamsMax = 100;

/** Who committed: a person's name and host, or the address of a CI job. */
export const actorLengthMax = 200;

/** A commit's hash is 40 or 64 digits; a pipeline may call it otherwise. */
export const commitLengthMax = 100;

/** Tokens of one node's operators: each call is compared with all of them. */
export const operatorTokensMax = 100;

/** Crash signatures are hashes in hex: of SHA-256 at most. */
export const crashLengthMax = 64;

/**
 * Reports from one address: at once, when all instances behind one gateway or on one test machine
 * start together, and then; a well-behaved instance sends one an hour.
 */
export const reportsBurstMax = 20_000;
export const reportsPerSecondMax = 2_000;

/** Wrong tokens from one address: typing errors, and then no faster than a person types. */
export const wrongTokensBurstMax = 20;
export const wrongTokensPerSecondMax = 1;

/** Addresses whose rate is remembered: those of all connections that there may be. */
export const ratedAddressesMax = connectionsCountMax;

/** Log buckets are cut when they have grown by this much: cheaper than at each append. */
export const logRecordsOverMax = 1_000;

/** Nodes of one site whose half-received messages are kept: a site is a handful of nodes. */
export const peersCountMax = 64;

/** Children that one message between peers tells of: with names of a hundred letters below 1 MiB. */
export const childrenPerMessageMax = 5_000;

/** Children that give something back at the same time; each may have half a snapshot here. */
export const returnsCountMax = 16;

/** A frame, with room for what a message between peers has around it. */
export const peerMessageBytesMax = frameBytesMax + chunkBytesMax;

/**
 * What one answer to a peer brings of what was sent, received, planned and counted: the rest is
 * asked for again.
 */
export const sharedAnswerBytesMax = 4 * 1024 * 1024;

/** Documents that were sent and that nodes of a site compare: more stand in the log of each. */
export const sentSharedMax = 64;
export const sentSharedBytesMax = 1024 * 1024;

/** Answers to peers under way at once: each may hold a whole ledger in memory. */
export const peerAnswersMax = 2;

/** Handed to the NATS client and not yet taken by the server; what is past it is asked for again. */
export const fanoutBytesInFlightMax = 16 * 1024 * 1024;

/** Questions of a project that may be open at once, and that may be asked in a year: each tells. */
export const censusesOpenMax = 8;
export const censusesYearMax = 24;

/**
 * Questions of a project in its ledger: those of ten years. Each is looked at with all others every
 * second, so a project that has more is not answered at all.
 */
export const censusesCountMax = 256;

/** Times of watching that are kept for one question: more than that were restarts without end. */
export const censusSpansMax = 64;

/** Windows of one question in which a node tells that something was seen: it forgets older ones. */
export const censusWindowsMax = 64;

/** Libraries of one application that are followed: each is a project, of `projectsCountMax`. */
export const librariesCountMax = 64;
