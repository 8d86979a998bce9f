import { fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  ReplicateRequestSchema,
  type ReplicateResponse,
  ReplicateResponseSchema,
} from "../../gen/headwater/v1/mesh_pb.ts";
import { heartbeatIntervalMs, heartbeatsMissedMax } from "../../relay/cadence.ts";
import type { Dial } from "../../relay/effect.ts";
import type { LinkId } from "../../relay/event.ts";
import { frameReceivedBytesMax } from "../../relay/limits.ts";
import { type Cheat, type Link, peerWith } from "./link.ts";
import type { Host, SimulatedNode } from "./simulated-node.ts";

/** How often a blocked frame is tried again. */
const retryMs = 250;

/** What a transport's keepalive, or a call's deadline, takes to notice. */
export const noticeMs: number = heartbeatIntervalMs * heartbeatsMissedMax;

/** A field number that no message of ours has, with a value: what a newer protocol may send. */
const unknownField: Uint8Array = Uint8Array.of(0xc0, 0x3e, 0x01);

/** Links between nodes, over a network whose faults follow from a seed. */
export class Network {
  /** Directions in which nothing passes, as `from>to`. */
  readonly blocked = new Set<string>();
  /** By the node whose frames they are about. */
  readonly cheats = new Map<string, Cheat>();
  /** Protocol numbers that nodes claim to speak. */
  readonly protocols = new Map<string, number>();
  /** Parents that end each stream right after its first frames. */
  readonly dying = new Set<string>();
  readonly #links = new Map<LinkId, Link>();
  readonly #host: Host;
  #linksCount = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  /** The newest of all links that were dialed. */
  get newestLink(): LinkId {
    return this.#linksCount;
  }

  get openLinks(): readonly Link[] {
    return [...this.#links.values()].filter(({ childOpen }) => childOpen);
  }

  get links(): readonly Link[] {
    return [...this.#links.values()];
  }

  linkOf(child: string, upstream: string): Link | undefined {
    return this.openLinks.find((link) => link.child === child && link.upstream === upstream);
  }

  isBlocked(from: string, to: string): boolean {
    return this.blocked.has(`${from}>${to}`);
  }

  dial(child: SimulatedNode, dial: Dial): void {
    this.hangUp(child.name, dial.upstream);
    const parent = dial.address;
    const protocol = this.protocols.get(child.name) ?? dial.request.protocol;
    if (protocol !== dial.request.protocol) this.#host.fault("other-protocol");
    const request = fromBinary(
      ReplicateRequestSchema,
      toBinary(ReplicateRequestSchema, { ...dial.request, protocol }),
    );
    const link: Link = {
      id: ++this.#linksCount,
      child: child.name,
      upstream: dial.upstream,
      parent,
      request,
      passing: [],
      framesInFlight: 0,
      bytesInFlight: 0,
      childOpen: true,
      parentOpen: false,
      isDead: false,
      stalledUntilMs: 0,
      isInSnapshot: false,
      isMaimed: false,
    };
    this.#links.set(link.id, link);
    this.#host.observer.dialed?.(link);
    // A connection that can not be made is noticed by the child's own deadline.
    if (this.isBlocked(link.child, parent) || this.isBlocked(parent, link.child)) return;
    this.#host.later(this.delayMs(), () => this.#opened(link, dial.credential));
  }

  #opened(link: Link, credential: Uint8Array | undefined): void {
    if (!link.childOpen || link.isDead) return;
    const parent = this.#host.nodes.get(link.parent);
    if (parent?.isAlive !== true) return this.#closeChild(link, "refused");
    link.parentOpen = true;
    const peer = peerWith(credential);
    this.#host.tell(link.parent, {
      kind: "child-opened",
      link: link.id,
      peer,
      request: link.request,
    });
    if (!this.dying.has(link.parent)) return;
    this.#host.fault("open-and-die");
    this.cut(link.id);
  }

  /** From the child's side. */
  hangUp(child: string, upstream: string): void {
    for (const link of this.openLinks) {
      if (link.child !== child || link.upstream !== upstream) continue;
      link.childOpen = false;
      this.#noticedByParent(link);
    }
  }

  /** From the parent's side: the end of the stream, after what was sent. */
  close(id: LinkId): void {
    const link = this.#links.get(id);
    if (link === undefined || !link.parentOpen) return;
    link.parentOpen = false;
    this.#pass(link, undefined);
  }

  /** Ends a link for both sides, and for what is on its way. */
  cut(id: LinkId): void {
    const link = this.#links.get(id);
    if (link === undefined) return;
    const isCut = link.childOpen || link.parentOpen;
    this.#host.later(0, () => this.#closeParent(link));
    this.#host.later(0, () => this.#closeChild(link, "cut"));
    if (isCut) link.passing.length = 0;
  }

  /** A process has died: its machine says so to the others, but where nothing passes. */
  died(name: string): void {
    for (const link of this.links) {
      if (link.child !== name && link.parent !== name) continue;
      if (!link.isDead) this.cut(link.id);
      else if (link.parent === name) link.parentOpen = false;
      else {
        link.childOpen = false;
        this.#noticedByParent(link);
      }
    }
  }

  send(id: LinkId, frame: Uint8Array): void {
    const link = this.#links.get(id);
    if (link === undefined || !link.parentOpen) return;
    this.#host.observer.sent?.(link, frame);
    const cheat = this.cheats.get(link.parent);
    const frames = cheat === undefined ? [frame] : cheat(link, frame);
    if (!frames.includes(frame)) this.#maim(link, frame);
    // The parent hands over one frame, whatever becomes of it on the way.
    link.framesInFlight++;
    link.bytesInFlight += frame.length;
    this.#host.observer.handed?.(link);
    for (const bytes of frames) this.#passWithFaults(link, bytes);
    this.#host.later(this.delayMs(), () => this.#flush(link, frame.length));
  }

  /** Puts a frame on a link that its parent never sent. */
  inject(link: Link, frame: Uint8Array): void {
    this.#pass(link, frame);
  }

  #passWithFaults(link: Link, frame: Uint8Array): void {
    const { faults, random } = this.#host;
    if (this.#host.chance("loss", faults.lossShare)) return this.#maim(link, frame);
    let bytes = frame;
    if (this.#host.chance("unknown-fields", faults.unknownFieldsShare))
      bytes = Buffer.concat([frame, unknownField]);
    if (this.#host.chance("truncate", faults.truncateShare)) {
      bytes = frame.subarray(0, random.below(frame.length));
      this.#maim(link, frame);
    }
    this.#pass(link, bytes);
    if (link.passing.length > 1 && this.#host.chance("reorder", faults.reorderShare)) {
      const [last, former] = [link.passing.pop(), link.passing.pop()];
      if (last !== undefined && former !== undefined) link.passing.push(last, former);
    }
    if (this.#host.chance("duplicate", faults.duplicateShare)) this.#pass(link, bytes);
  }

  #maim(link: Link, lost: Uint8Array): void {
    link.isMaimed ||= isOpening(lost);
  }

  #pass(link: Link, bytes: Uint8Array | undefined): void {
    const last = link.passing.at(-1)?.atMs ?? 0;
    const atMs = Math.max(last, this.#host.nowMs + this.delayMs());
    link.passing.push({ bytes, atMs });
    this.#host.later(atMs - this.#host.nowMs, () => this.#pump(link));
  }

  #pump(link: Link): void {
    for (let next = link.passing[0]; next !== undefined; next = link.passing[0]) {
      if (!link.childOpen) {
        link.passing.length = 0;
        return;
      }
      if (next.atMs > this.#host.nowMs) return;
      if (this.#isHeld(link)) return this.#host.later(retryMs, () => this.#pump(link));
      link.passing.shift();
      this.#deliver(link, next.bytes);
    }
  }

  #isHeld(link: Link): boolean {
    if (link.isDead || link.stalledUntilMs > this.#host.nowMs) return true;
    if (this.isBlocked(link.parent, link.child)) return true;
    const child = this.#host.nodes.get(link.child);
    return child !== undefined && child.pausedUntilMs > this.#host.nowMs;
  }

  /** The transport takes a frame only where the child's side does. */
  #flush(link: Link, bytes: number): void {
    if (!link.parentOpen) return;
    if (this.#isHeld(link) && link.childOpen)
      return this.#host.later(retryMs, () => this.#flush(link, bytes));
    link.framesInFlight--;
    link.bytesInFlight -= bytes;
    const flushed = [{ link: link.id, framesCount: 1, bytes }];
    this.#host.tell(link.parent, { kind: "children-flushed", flushed });
  }

  #deliver(link: Link, bytes: Uint8Array | undefined): void {
    if (bytes === undefined) return this.#closeChild(link, "the parent has ended the stream");
    if (bytes.length > frameReceivedBytesMax) {
      this.#host.fault("huge-frame");
      return this.cut(link.id);
    }
    let frame: ReturnType<typeof decode>;
    try {
      frame = decode(bytes);
    } catch {
      // As the transport does with what is no message.
      return this.cut(link.id);
    }
    this.#follow(link, frame.frame.case);
    this.#host.tell(link.child, { kind: "upstream-frame", upstream: link.upstream, frame });
  }

  /** Notes snapshots of which only a part arrives, or that an update overtakes. */
  #follow(link: Link, what: ReplicateResponse["frame"]["case"]): void {
    if (link.isInSnapshot && what === "delta") this.#host.fault("snapshot-interrupted");
    if (what === "snapshotBegin") link.isInSnapshot = true;
    if (what === "snapshotEnd") link.isInSnapshot = false;
  }

  #closeChild(link: Link, why: string): void {
    if (!link.childOpen) return;
    if (link.isInSnapshot) this.#host.fault("snapshot-interrupted");
    link.childOpen = false;
    this.#host.tell(link.child, { kind: "upstream-closed", upstream: link.upstream, why });
    this.#noticedByParent(link);
  }

  #closeParent(link: Link): void {
    if (!link.parentOpen) return;
    link.parentOpen = false;
    this.#host.tell(link.parent, { kind: "child-closed", link: link.id });
  }

  #noticedByParent(link: Link): void {
    const isSilent = link.isDead || this.isBlocked(link.child, link.parent);
    this.#host.later(isSilent ? noticeMs : this.delayMs(), () => {
      this.#closeParent(link);
      if (!link.childOpen && !link.parentOpen) this.#links.delete(link.id);
    });
  }

  /** One way, for the next thing that is sent. */
  delayMs(): number {
    return this.#host.random.below(this.#host.faults.delayMsMax + 1);
  }
}

function decode(bytes: Uint8Array) {
  return fromBinary(ReplicateResponseSchema, new Uint8Array(bytes));
}

/** A stream does not lose a frame and go on: what a child can not know of it is noticed late. */
function isOpening(bytes: Uint8Array): boolean {
  try {
    const { frame } = decode(bytes);
    return frame.case === "welcome" || frame.case === "offer";
  } catch {
    return false;
  }
}
