import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { Events, type Msg, type NatsConnection, type NatsError } from "nats";
import {
  PeerAnswerSchema,
  PeerAskSchema,
  type PeerMessage,
  PeerMessageSchema,
} from "../../gen/headwater/v1/fanout_pb.ts";
import { peerIntervalMs } from "../../relay/cadence.ts";
import type { PeerAskBody } from "../../relay/effect.ts";
import { isName } from "../../relay/flag/name.ts";
import { peerAnswersMax, peerMessageBytesMax } from "../../relay/limits.ts";
import type { NodeAccess } from "../access.ts";
import type { DropLog } from "./drop-log.ts";
import { payloadProblem, permissionProblem } from "./nats-problem.ts";
import { Outbox } from "./outbox.ts";
import { maxPayloadMin, PartJoiner, readPart } from "./part.ts";
import { encodeAnswer, encodeAsk } from "./peer-codec.ts";
import type { SiteSubjects } from "./site-subjects.ts";

export interface PeerSessionOptions {
  readonly connection: NatsConnection;
  readonly subjects: SiteSubjects;
  readonly node: string;
  readonly access: NodeAccess;
  readonly drops: DropLog;
  /** Something about the connection that a person has to mend; empty once it is over. */
  onProblem(problem: string): void;
}

interface Listening {
  readonly subject: string;
  readonly handle: (bytes: Uint8Array, msg: Msg) => void;
  readonly queue?: string;
}

/** A problem is over that has not shown itself for so long: nodes speak every `peerIntervalMs`. */
const problemOverMs = 3 * peerIntervalMs;

/** That are remembered: an answer may be refused at as many subjects as there are peers. */
const problemsMax = 16;

/** All nodes of a site are in one queue group: NATS gives each ask to one of them. */
const queueGroup = "peers";

/**
 * What is said and heard over one live connection.
 *
 * The connection has `noEcho`, by which the server leaves the sender out, of a queue group too: a
 * node hears neither its own frames nor its own asks. So any message in this node's name is that of
 * another node with the same name. A peer that takes an ask and then hangs costs one ask: the node
 * asks again, and NATS picks again.
 */
export class PeerSession {
  readonly #of: PeerSessionOptions;
  readonly #outbox: Outbox;
  readonly #answers: string;
  readonly #joiner = new PartJoiner();
  readonly #startedMonoMs: number;
  readonly #retrying: NodeJS.Timeout;
  #refused: Listening[] = [];
  /** When each last showed itself. */
  readonly #problems = new Map<string, number>();
  #answersCount = 0;

  constructor(of: PeerSessionOptions) {
    this.#of = of;
    this.#outbox = new Outbox(of.connection);
    this.#answers = of.subjects.answers();
    this.#startedMonoMs = of.access.now().monoMs;
    void this.#watchPermissions();
    const { frames, ask: subject } = of.subjects;
    this.#listen({ subject: frames, handle: (bytes) => this.#heard(bytes) });
    this.#listen({ subject: this.#answers, handle: (bytes) => this.#answered(bytes) });
    const handle: Listening["handle"] = (bytes, { reply }) => this.#asked(bytes, reply);
    this.#listen({ subject, handle, queue: queueGroup });
    this.#retrying = setInterval(() => this.#retry(), peerIntervalMs).unref();
  }

  publish(message: PeerMessage): void {
    this.#send({
      subject: this.#of.subjects.frames,
      bytes: toBinary(PeerMessageSchema, message),
    });
  }

  ask(ask: PeerAskBody): void {
    const { node, subjects } = this.#of;
    const bytesMax = this.#outbox.payloadBytesMax;
    for (const bytes of encodeAsk({ node, ask, bytesMax }))
      this.#send({ subject: subjects.ask, bytes, reply: this.#answers });
  }

  /** To be called when the connection has ended. */
  end(): void {
    clearInterval(this.#retrying);
    this.#outbox.end();
  }

  #send(of: { subject: string; bytes: Uint8Array; reply?: string }): boolean {
    const { maxPayload } = this.#outbox;
    if (maxPayload < maxPayloadMin) {
      this.#raise(payloadProblem(maxPayload));
      return false;
    }
    const isTooLarge = of.bytes.length > peerMessageBytesMax;
    if (!isTooLarge && this.#outbox.send(of)) return true;
    this.#of.drops.note(isTooLarge ? "too-large" : "server-slow");
    return false;
  }

  /**
   * Messages are handled as they come in, so that none wait here: a node that is slow lets the
   * server's queue for it grow, which has a bound of its own.
   */
  #listen(listening: Listening): void {
    const { subject, handle, queue } = listening;
    const callback = (error: NatsError | null, msg: Msg): void => {
      // A refused subscription, which the client forgets; the connection's status says why.
      if (error !== null) {
        this.#refused.push(listening);
        return;
      }
      try {
        const bytes = this.#whole(msg);
        if (bytes !== undefined) handle(bytes, msg);
      } catch (thrown) {
        // The client would stop reading for good, without a word.
        this.#of.drops.note("not-handled", thrown instanceof Error ? thrown.message : "");
      }
    };
    this.#of.connection.subscribe(
      subject,
      queue === undefined ? { callback } : { callback, queue },
    );
  }

  #whole(msg: Msg): Uint8Array | undefined {
    const part = readPart(msg.headers);
    if (part !== undefined) {
      const joined = this.#joiner.join(part, msg.data);
      if (joined === "lost") this.#of.drops.note("part-lost");
      return typeof joined === "string" ? undefined : joined;
    }
    // A copy: what is decoded keeps views, and would keep the connection's whole buffer alive.
    if (msg.data.length <= peerMessageBytesMax) return new Uint8Array(msg.data);
    this.#of.drops.note("too-large");
    return undefined;
  }

  #decode<D extends DescMessage>(schema: D, bytes: Uint8Array): MessageShape<D> | undefined {
    try {
      return fromBinary(schema, bytes);
    } catch {
      this.#of.drops.note("unreadable");
      return undefined;
    }
  }

  #heard(bytes: Uint8Array): void {
    const message = this.#decode(PeerMessageSchema, bytes);
    if (message !== undefined) this.#spoke(message);
  }

  #answered(bytes: Uint8Array): void {
    const answer = this.#decode(PeerAnswerSchema, bytes);
    for (const message of answer?.messages ?? []) this.#spoke(message);
  }

  #spoke(message: PeerMessage): void {
    // What a name may be has a bound: it is kept, and stands in the log.
    if (!isName(message.node)) return this.#of.drops.note("unreadable");
    if (this.#isOwn(message.node)) return;
    this.#of.access.tell({ kind: "peer-spoke", message });
  }

  #asked(bytes: Uint8Array, reply: string | undefined): void {
    const ask = this.#decode(PeerAskSchema, bytes);
    if (ask === undefined || reply === undefined || this.#isOwn(ask.node)) return;
    if (this.#answersCount >= peerAnswersMax) return this.#of.drops.note("too-many-asks");
    this.#answersCount++;
    this.#of.access
      .ask<readonly PeerMessage[]>((call) => ({ kind: "peer-asked", call, ask }))
      .then((messages) => this.#answer(messages, reply))
      .catch((thrown: unknown) =>
        this.#of.drops.note("not-answered", thrown instanceof Error ? thrown.message : ""),
      )
      .finally(() => this.#answersCount--);
  }

  async #answer(messages: readonly PeerMessage[], subject: string): Promise<void> {
    const bytesMax = Math.min(this.#outbox.payloadBytesMax, peerMessageBytesMax);
    for (const bytes of encodeAnswer({ messages, bytesMax })) {
      await this.#outbox.room();
      if (!this.#send({ subject, bytes })) return;
    }
  }

  /** What an earlier connection of ours sent last may still come in, but not for long. */
  #isOwn(node: string): boolean {
    if (node !== this.#of.node) return false;
    if (this.#of.access.now().monoMs - this.#startedMonoMs > peerIntervalMs)
      this.#raise(
        `another node of this site calls itself ${node} too, and neither hears the other: ` +
          "give each a name of its own with HEADWATER_NAME",
      );
    return true;
  }

  async #watchPermissions(): Promise<void> {
    for await (const { type, permissionContext } of this.#of.connection.status())
      if (type === Events.Error && permissionContext !== undefined)
        this.#raise(permissionProblem(permissionContext.operation, permissionContext.subject));
  }

  #raise(problem: string): void {
    if (this.#problems.size === problemsMax && !this.#problems.has(problem)) return;
    this.#problems.set(problem, this.#of.access.now().monoMs);
    this.#tellFirst();
  }

  #tellFirst(): void {
    const [first = ""] = this.#problems.keys();
    this.#of.onProblem(first);
  }

  /** A server takes another configuration while the connection stays, and tells nobody of what it permits. */
  #retry(): void {
    const { access, connection } = this.#of;
    if (connection.isClosed() || connection.isDraining()) return;
    for (const listening of this.#refused.splice(0)) this.#listen(listening);
    const { monoMs } = access.now();
    for (const [problem, shownMonoMs] of this.#problems)
      if (monoMs - shownMonoMs >= problemOverMs) this.#problems.delete(problem);
    this.#tellFirst();
  }
}
