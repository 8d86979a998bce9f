import { create } from "@bufbuild/protobuf";
import { type ReportRequest, ReportRequestSchema } from "../gen/headwater/v1/apps_pb.ts";
import type { Reason } from "../relay/flag/effective-flag.ts";
import { isName } from "../relay/flag/name.ts";
