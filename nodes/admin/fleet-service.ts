import { toBinary } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  type FleetSample,
  FleetSampleSchema,
  type FleetService,
  SentDocumentSchema,
} from "../../gen/headwater/v1/fleet_pb.ts";
import { DocumentSchema } from "../../gen/headwater/v1/telemetry_pb.ts";
import { clockSkewMsMax } from "../../relay/cadence.ts";
import { quoted } from "../../relay/quoted.ts";
import { disclosureLevels, isDisclosureLevel } from "../../relay/telemetry/disclosure/level.ts";
import type { NodeAccess } from "../access.ts";
import { HeadwaterError } from "../error.ts";
import { originOf } from "./call-origin.ts";
import { outcomeValue } from "./outcome-value.ts";
import { limitOf, listRecords } from "./record-list.ts";

/** What telemetry says and what leaves this node, for operators. */
export function fleetService(access: NodeAccess): ServiceImpl<typeof FleetService> {
  return {
    getFleet: ({ project }) => outcomeValue(access.reads.fleet(project, access.now().wallMs)),
    previewDocument: (request) => {
      const preview = outcomeValue(access.reads.preview(request, access.now()));
      const { document, why, cautions } = preview;
      if (document === undefined) return { why };
      const encoded = toBinary(DocumentSchema, document);
      return { document, why, encoded, bytes: encoded.length, cautions: [...cautions] };
    },
    listDocuments: ({ project, limit }) => ({
      documents: listRecords({
        access,
        bucket: "sent",
        schema: SentDocumentSchema,
        project,
        limit,
      }),
    }),
    listSamples: ({ project, limit }) => {
      const latestMs = BigInt(Math.ceil(access.now().wallMs + clockSkewMsMax));
      // One of a clock that was ahead is to come. As many as are asked for may be.
      const isPast = ({ atMs }: FleetSample): boolean => atMs <= latestMs;
      const where = { matches: isPast, among: 2 * limitOf(limit) };
      const of = { bucket: "sample", schema: FleetSampleSchema, project, limit, where } as const;
      return { samples: listRecords({ access, ...of }) };
    },
    setDisclosure: ({ level: asked, upstream }, context) => {
      const level = asked.toUpperCase();
      if (!isDisclosureLevel(level)) {
        throw new HeadwaterError({
          kind: "invalid",
          message: `level: ${quoted(asked)} is none of ${disclosureLevels.join(", ")}`,
        });
      }
      return access.ask<{ upstreams: string[]; cautions: string[] }>((call) => ({
        kind: "set-disclosure",
        call,
        level,
        upstream,
        by: originOf(context),
      }));
    },
  };
}
