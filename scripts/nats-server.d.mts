/** The path of a nats-server: from the PATH, where distributions put it, or unpacked before. */
export declare function findNatsServer(): string | undefined;

/** Finds or unpacks a nats-server; where that cannot be, says why. */
export declare function installNatsServer(): { path?: string; reason?: string };

/** The path of a current nats-server, once `node scripts/nats-server.mjs --current` has built it. */
export declare function findCurrentNatsServer(): string | undefined;

/** Builds a current nats-server where the machine has Go; else says why there is none. */
export declare function buildCurrentNatsServer(): { path?: string; reason?: string };
