import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import {
  type DescMessage,
  fromBinary,
  fromJsonString,
  type MessageShape,
} from "@bufbuild/protobuf";
import { otlpBodyBytesMax } from "../../../relay/limits.ts";
import { HeadwaterError } from "../../error.ts";
import type { HttpRequest } from "../../http/http-handler.ts";
import { BodyTooLong, readBody } from "../../http/request-body.ts";

export type OtlpEncoding = "protobuf" | "json";

/** Answered with 415. */
export class WrongMediaType extends HeadwaterError {
  constructor(message: string) {
    super({ kind: "invalid", message });
  }
}

/** How the body is written, and so how the answer is to be; undefined for no encoding of OTLP. */
export function encodingOf(request: HttpRequest): OtlpEncoding | undefined {
  const [type = ""] = (request.headers["content-type"] ?? "").split(";");
  switch (type.trim().toLowerCase()) {
    case "application/x-protobuf":
      return "protobuf";
    case "application/json":
      return "json";
    default:
      return undefined;
  }
}

/**
 * The message that a request carries. What it holds besides is not even kept for the moment.
 * @throws HeadwaterError `invalid` for what is no such message, WrongMediaType, BodyTooLong
 */
export async function readMessage<Desc extends DescMessage>(
  request: HttpRequest,
  of: { schema: Desc; encoding: OtlpEncoding },
): Promise<MessageShape<Desc>> {
  const body = await readUnpacked(request);
  try {
    return of.encoding === "json"
      ? fromJsonString(of.schema, body.toString("utf8"), { ignoreUnknownFields: true })
      : fromBinary(of.schema, body, { readUnknownFields: false });
  } catch (cause) {
    const what = of.encoding === "json" ? "JSON" : "protobuf";
    throw new HeadwaterError({
      kind: "invalid",
      message: `the body is not OTLP in ${what}`,
      cause,
    });
  }
}

const unpack = promisify(gunzip);

/** Unpacks no further than the bound, however little it was that came. */
async function readUnpacked(request: HttpRequest): Promise<Buffer> {
  const packing = String(request.headers["content-encoding"] ?? "identity")
    .trim()
    .toLowerCase();
  if (packing !== "identity" && packing !== "gzip")
    throw new WrongMediaType("content-encoding: gzip and identity are understood");
  const body = await readBody(request, otlpBodyBytesMax);
  if (packing === "identity") return body;
  try {
    return await unpack(body, { maxOutputLength: otlpBodyBytesMax });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ERR_BUFFER_TOO_LARGE") throw new BodyTooLong(otlpBodyBytesMax);
    throw new HeadwaterError({ kind: "invalid", message: "the body is not gzip", cause });
  }
}
