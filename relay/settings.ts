import type { ProjectPin } from "../gen/headwater/v1/mesh_pb.ts";
import type { StoredRecord } from "./durable.ts";
import type { UpstreamSettings } from "./link/uplink.ts";
import type { DisclosureLevel } from "./telemetry/disclosure/level.ts";
import type { OnBad } from "./telemetry/on-bad.ts";

/** All that a node is made from; given the same, and the same events, it does the same. */
export interface NodeSettings {
  readonly site: string;
  /** The node's name within its site. */
  readonly name: string;
  /** 8 random bytes, kept for the node's life. */
  readonly nodeId: Uint8Array;
  /** 32 random bytes, shared by the nodes of the site. */
  readonly siteSecret: Uint8Array;
  /** For jitter. */
  readonly seed: number;
  /** Where children reach this node, `host:port`; undefined when it can not be known. */
  readonly meshAddress?: string | undefined;
  /** Upstreams of the configuration, before those that were joined. */
  readonly upstreams: readonly UpstreamSettings[];
  /** Pins of the trust file. */
  readonly pins: readonly ProjectPin[];
  /**
   * OFF: reports and documents are refused, none is made, nothing is judged, and no code of
   * telemetry/ runs. ON where it is missing.
   */
  readonly telemetry?: "ON" | "OFF" | undefined;
  readonly disclosure: DisclosureLevel;
  /** What a bad verdict of this site's own does. */
  readonly onBad: OnBad;
  readonly windowMs: number;
  readonly healthWindowMs: number;
  /** The shortest window of a census that is asked or answered here; a month by default. */
  readonly censusWindowMsMin?: number | undefined;
  /** What documents of children may take in memory, where that is less than the bound of the limits. */
  readonly receivedHeapBytesMax?: number | undefined;
  /** What the store holds, but for its logs. */
  readonly records: Iterable<StoredRecord>;
  /** The newest of its log of sent documents. */
  readonly sentLatest?: Iterable<Uint8Array>;
}
