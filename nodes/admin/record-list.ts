import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import type { Bucket } from "../../relay/effect.ts";
import { isName } from "../../relay/flag/name.ts";
import { listLengthMax } from "../../relay/limits.ts";
import { quoted } from "../../relay/quoted.ts";
import type { NodeAccess } from "../access.ts";
import { HeadwaterError } from "../error.ts";

/** What a request without a limit gets. */
const limitDefault = 100;

/** How many are meant: 0 is 100. */
export function limitOf(limit: number): number {
  return Math.min(limit === 0 ? limitDefault : limit, listLengthMax);
}

/**
 * Records of a project from a log bucket, newest first.
 * @throws HeadwaterError `invalid` for no name of a project, `damaged` for a record that is none
 */
export function listRecords<S extends DescMessage>(of: {
  access: NodeAccess;
  bucket: Bucket;
  schema: S;
  project: string;
  /** 0 is 100. */
  limit: number;
  /** Only those; `among` is how many records are searched for them. */
  where?:
    | { readonly matches: (record: MessageShape<S>) => boolean; readonly among: number }
    | undefined;
}): MessageShape<S>[] {
  const { access, bucket, schema, project, where } = of;
  if (!isName(project))
    throw new HeadwaterError({
      kind: "invalid",
      message: `project: ${quoted(project)} is not a name`,
    });
  const limit = limitOf(of.limit);
  const found: MessageShape<S>[] = [];
  for (const bytes of access.list({
    bucket,
    prefix: `${project}/`,
    limit: where?.among ?? limit,
  })) {
    if (found.length === limit) break;
    const record = decode(schema, bytes, bucket);
    if (where === undefined || where.matches(record)) found.push(record);
  }
  return found;
}

/**
 * The newest records of a log bucket, whatever they are about; 0 is 100 of them.
 * @throws HeadwaterError `damaged` for a record that is none
 */
export function listNewest<S extends DescMessage>(of: {
  access: NodeAccess;
  bucket: Bucket;
  schema: S;
  limit: number;
}): MessageShape<S>[] {
  const limit = limitOf(of.limit);
  const records = of.access.list({ bucket: of.bucket, prefix: "", limit });
  return records.map((bytes) => decode(of.schema, bytes, of.bucket));
}

function decode<S extends DescMessage>(
  schema: S,
  bytes: Uint8Array,
  bucket: Bucket,
): MessageShape<S> {
  try {
    return fromBinary(schema, bytes);
  } catch (cause) {
    throw new HeadwaterError({
      kind: "damaged",
      message: `a stored ${bucket} record cannot be read`,
      hint: "Restore the node's data directory from a backup.",
      cause,
    });
  }
}
