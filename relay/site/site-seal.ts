import {
  create,
  type DescMessage,
  fromBinary,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import {
  type PeerMessage,
  type SiteChild,
  SiteChildrenSchema,
  type SiteConsent,
  SiteConsentsSchema,
  SitePinsSchema,
  type SiteRecords,
  SiteRecordsSchema,
} from "../../gen/headwater/v1/fanout_pb.ts";
import type { Envelope } from "../../gen/headwater/v1/ledger_pb.ts";
import type { ProjectPin } from "../../gen/headwater/v1/mesh_pb.ts";
import { childrenPerMessageMax, projectsCountMax } from "../limits.ts";
import { isSealedBy, type PayloadType, payloadType, seal } from "../trust/envelope.ts";
import { pinProblem } from "../trust/join-token.ts";
import type { SigningKey } from "../trust/key.ts";

type Body = PeerMessage["body"];

/** What nodes of a site tell each other under the site's own key, and believe of nobody else. */
export class SiteSeal {
  readonly #siteKey: SigningKey;

  constructor(siteKey: SigningKey) {
    this.#siteKey = siteKey;
  }

  pins(pins: readonly ProjectPin[]): Body {
    const payload = toBinary(SitePinsSchema, create(SitePinsSchema, { pins: [...pins] }));
    return { case: "pins", value: this.#seal(payloadType.sitePins, payload) };
  }

  /** In as many messages as they take. */
  children(children: readonly SiteChild[]): Body[] {
    const messagesCount = Math.ceil(children.length / childrenPerMessageMax);
    return Array.from({ length: messagesCount }, (_, index) => {
      const from = index * childrenPerMessageMax;
      const some = children.slice(from, from + childrenPerMessageMax);
      const payload = toBinary(SiteChildrenSchema, create(SiteChildrenSchema, { children: some }));
      return { case: "children", value: this.#seal(payloadType.siteChildren, payload) };
    });
  }

  consents(consents: readonly SiteConsent[]): Body {
    const message = create(SiteConsentsSchema, { consents: [...consents] });
    const payload = toBinary(SiteConsentsSchema, message);
    return { case: "consents", value: this.#seal(payloadType.siteConsents, payload) };
  }

  records(records: SiteRecords): Body {
    const payload = toBinary(SiteRecordsSchema, records);
    return { case: "records", value: this.#seal(payloadType.siteRecords, payload) };
  }

  /** What the site's own key has signed of documents, rollouts and trials; undefined otherwise. */
  openRecords(envelope: Envelope): SiteRecords | undefined {
    return this.#open(payloadType.siteRecords, envelope, SiteRecordsSchema);
  }

  /** The children that the site's own key has signed; none otherwise. */
  openChildren(envelope: Envelope): readonly SiteChild[] {
    return this.#open(payloadType.siteChildren, envelope, SiteChildrenSchema)?.children ?? [];
  }

  /** What the site's own key has signed that its operator discloses; nothing otherwise. */
  openConsents(envelope: Envelope): readonly SiteConsent[] {
    return this.#open(payloadType.siteConsents, envelope, SiteConsentsSchema)?.consents ?? [];
  }

  /** The pins that the site's own key has signed; none otherwise. */
  openPins(envelope: Envelope): readonly ProjectPin[] {
    const pins = this.#open(payloadType.sitePins, envelope, SitePinsSchema)?.pins ?? [];
    return pins.filter((pin) => pinProblem(pin) === undefined).slice(0, projectsCountMax);
  }

  #seal(type: PayloadType, payload: Uint8Array): Envelope {
    return seal({ type, payload, keys: [this.#siteKey] });
  }

  #open<D extends DescMessage>(
    type: PayloadType,
    envelope: Envelope,
    schema: D,
  ): MessageShape<D> | undefined {
    const keys = [this.#siteKey.publicKey];
    if (!isSealedBy({ envelope, type, keys, threshold: 1 })) return undefined;
    try {
      return fromBinary(schema, envelope.payload);
    } catch {
      return undefined;
    }
  }
}
