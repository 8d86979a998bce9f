/** The path of a promtool: from the PATH, or unpacked before. */
export declare function findPromtool(): string | undefined;
