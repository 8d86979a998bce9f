/**
 * The faults that a distributed system of this kind has to live with, numbered as in the list that
 * the simulator was made from: what etcd, Consul, Envoy, NATS, TUF and others have met.
 */
export const faults = {
  F1: "an upstream restarts empty",
  F2: "an upstream is restored from an old backup",
  F3: "the position to resume from is no longer remembered",
  F4: "a child is ahead of its parent",
  F5: "a peer stalls with its socket open",
  F6: "a peer goes away in the middle of a blocked write",
  F7: "a half-open connection",
  F8: "all children reconnect at once",
  F9: "a stream opens and dies at once, again and again",
  F10: "a storm of updates meets slow peers",
  F11: "frames are lost, doubled, reordered, cut off at any byte",
  F12: "a snapshot is interrupted, or overtaken by an update",
  F13: "a relay alters, drops, reorders or mixes what it forwards",
  F14: "a relay replays an old head that is valid",
  F15: "a relay withholds updates, or a layer",
  F16: "a stolen online key uses up the sequence",
  F17: "keys are rotated while a node is away",
  F18: "a vendor says what it was not granted",
  F19: "a snapshot without an end, a frame above all bounds",
  F20: "clocks are wrong, jump, or are not there",
  F21: "power is lost at any write; the disk is full, lies, or flips bits",
  F22: "a process is paused longer than its timeouts",
  F23: "partitions, in one direction too, and links that flap",
  F24: "one node connects twice; links form a circle",
  F25: "a node moves between parents at different positions",
  F26: "old and new protocols are mixed",
  F27: "NATS loses, doubles and delays, or splits",
  F28: "NATS is gone for longer than a client would wait",
  F29: "an entry that nobody here understands",
  F30: "what apps hold is of a grant that has ended",
  F31: "a token is revoked in the middle of a stream",
  F32: "a flood of strangers",
} as const;

export type FaultId = keyof typeof faults;

/** Every way in which the simulator brings a fault about, and which fault it is. */
export const faultKinds = {
  "restart-empty": "F1",
  "restore-backup": "F2",
  "former-root": "F2",
  "forgotten-position": "F3",
  "position-ahead": "F4",
  stall: "F5",
  "cancel-in-write": "F6",
  "half-open": "F7",
  stampede: "F8",
  "open-and-die": "F9",
  storm: "F10",
  loss: "F11",
  duplicate: "F11",
  reorder: "F11",
  truncate: "F11",
  "snapshot-interrupted": "F12",
  "altered-entry": "F13",
  "forged-head": "F13",
  "dropped-entry": "F13",
  "reordered-frames": "F13",
  "mixed-ledgers": "F13",
  "replayed-head": "F14",
  withheld: "F15",
  "omitted-layer": "F15",
  "stolen-key": "F16",
  rotation: "F17",
  ungranted: "F18",
  "endless-snapshot": "F19",
  "huge-frame": "F19",
  "clock-jump": "F20",
  "no-clock": "F20",
  crash: "F21",
  "crash-at-effect": "F21",
  "crash-after-write": "F21",
  "torn-write": "F21",
  "lost-writes": "F21",
  "disk-full": "F21",
  "bit-flip": "F21",
  pause: "F22",
  partition: "F23",
  "one-way-partition": "F23",
  cut: "F23",
  twin: "F24",
  loop: "F24",
  "behind-parent": "F25",
  "other-protocol": "F26",
  "unknown-fields": "F26",
  "nats-loss": "F27",
  "nats-duplicate": "F27",
  "nats-delay": "F27",
  "nats-split": "F27",
  "nats-down": "F28",
  "not-understood": "F29",
  "grant-ended": "F30",
  "revoked-token": "F31",
  flood: "F32",
} as const satisfies Readonly<Record<string, FaultId>>;

export type FaultKind = keyof typeof faultKinds;

/** How often each kind came about. */
export type FaultCounts = ReadonlyMap<FaultKind, number>;

export function sumOfFaults(counts: FaultCounts): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
