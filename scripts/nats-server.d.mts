/** The path of a nats-server: from the PATH, where distributions put it, or unpacked before. */
export declare function findNatsServer(): string | undefined;

/** Finds or unpacks a nats-server; where that cannot be, says why. */
export declare function installNatsServer(): { path?: string; reason?: string };
