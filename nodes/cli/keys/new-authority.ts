import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type Envelope,
  GrantSchema,
  RootSchema,
  type Trust,
  TrustSchema,
} from "../../../gen/headwater/v1/ledger_pb.ts";
import { payloadType, seal } from "../../../relay/trust/envelope.ts";
import type { SigningKey } from "../../../relay/trust/key.ts";
import { authorityOf } from "../../../relay/trust/trusted.ts";
import { formatFingerprint } from "../../config/fingerprint.ts";
import { keyFileText, newKey } from "./key-file.ts";
import { type Recovery, recoveryText } from "./recovery-file.ts";

/** A project's authority, made on the operator's side: what goes to the node, and what does not. */
export interface NewAuthority {
  /** SHA-256 of the first root, 32 bytes. */
  readonly authority: Uint8Array;
  /** The root, and the grants for the node's keys of term 1. */
  readonly trust: Trust;
  /** Secrets to keep, by what ends their file names: `root.key`. */
  readonly files: ReadonlyMap<string, string>;
}

/** Terms whose grants are signed in advance, for whoever restores or takes over the ledger. */
const recoveryTerms = [2, 3] as const;

/** `ledgerKey` and `beatKey` are the public keys that the node has made for term 1. */
export function newAuthority(of: {
  project: string;
  /** Of an overlay of the project, instead of the project itself. */
  overlay: boolean;
  ledgerKey: Uint8Array;
  beatKey: Uint8Array;
}): NewAuthority {
  const root = new Root(of);
  const grants = [root.grantLedger(1, of.ledgerKey), root.grantBeat(of.beatKey)];
  const recoveries = recoveryTerms.map(
    (term) => [`term-${term}.grant`, recoveryText(recoveryOf(root, term))] as const,
  );
  return {
    authority: root.authority,
    trust: create(TrustSchema, { roots: [root.envelope], grants }),
    files: new Map([["root.key", rootKeyText(root)], ...recoveries]),
  };
}

/** A new root key, and what it signs. */
class Root {
  readonly project: string;
  /** What it is the root of, for people. */
  readonly title: string;
  readonly key: SigningKey = newKey();
  readonly envelope: Envelope;
  readonly authority: Uint8Array;

  constructor({ project, overlay }: { project: string; overlay: boolean }) {
    this.project = project;
    this.title = overlay ? `an overlay of ${project}` : project;
    const keys = [this.key.publicKey];
    const document = create(RootSchema, { project, version: 1, threshold: 1, keys });
    const payload = toBinary(RootSchema, document);
    this.envelope = seal({ type: payloadType.root, payload, keys: [this.key] });
    this.authority = authorityOf(this.envelope);
  }

  grantLedger(term: number, key: Uint8Array): Envelope {
    return this.#grant({ case: "ledgerKey", value: { term, key } });
  }

  grantBeat(key: Uint8Array): Envelope {
    return this.#grant({ case: "beatKey", value: { key } });
  }

  #grant(power: NonNullable<MessageInitShape<typeof GrantSchema>["power"]>): Envelope {
    const grant = create(GrantSchema, { authority: this.authority, rootVersion: 1, power });
    const payload = toBinary(GrantSchema, grant);
    return seal({ type: payloadType.grant, payload, keys: [this.key] });
  }
}

function rootKeyText({ title, key, authority }: Root): string {
  return keyFileText(key, `the root key of ${title}, authority ${formatFingerprint(authority)}`);
}

function recoveryOf(root: Root, term: number): Recovery {
  const ledgerKey = newKey();
  const beatKey = newKey();
  const grants = [root.grantLedger(term, ledgerKey.publicKey), root.grantBeat(beatKey.publicKey)];
  return { project: root.project, authority: root.authority, term, ledgerKey, beatKey, grants };
}
