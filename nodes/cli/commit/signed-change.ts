import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Envelope } from "../../../gen/headwater/v1/ledger_pb.ts";
import { type Delta, DeltaSchema } from "../../../gen/headwater/v1/mesh_pb.ts";
import { readHead } from "../../../relay/ledger/head.ts";
import { HeadwaterError } from "../../error.ts";
import { base64url, readTextFile } from "../keys/key-file.ts";
import { changesOf } from "./ledger-key.ts";
import { type LedgerView, positionText } from "./ledger-view.ts";
import type { Change } from "./plan.ts";

/** A commit that was signed away from the node, as a text file that is carried to it. */
export function signedChangeText(of: {
  view: LedgerView;
  changes: readonly Change[];
  head: Envelope;
}): string {
  const { view, changes, head } = of;
  const { ledger, position: previous } = view;
  const delta = create(DeltaSchema, { ledger, previous, ...changesOf(changes), head });
  const read = readHead(head, ledger);
  const to = positionText(read.ok ? read.value.position : undefined);
  const bytes = base64url(toBinary(DeltaSchema, delta));
  return `# Signed change of ${ledger.project}, ${positionText(previous)} -> ${to}. Nothing in it is secret.\n${bytes}\n`;
}

/**
 * Reads what `signedChangeText` writes.
 * @throws HeadwaterError `invalid`
 */
export function readSignedChange(path: string): Delta & { readonly project: string } {
  const lines = readTextFile(path).split("\n");
  const text = lines
    .filter((line) => !line.startsWith("#"))
    .join("")
    .trim();
  try {
    if (!/^[\w-]+$/.test(text)) throw new Error("no base64url");
    const delta = fromBinary(DeltaSchema, new Uint8Array(Buffer.from(text, "base64url")));
    if (delta.ledger === undefined || delta.head === undefined) throw new Error("not whole");
    return { ...delta, project: delta.ledger.project };
  } catch (cause) {
    throw new HeadwaterError({
      kind: "invalid",
      message: `${path}: not a signed change, or cut off`,
      hint: "`headwater apply --sign-with FILE --out FILE` writes one.",
      cause,
    });
  }
}
