import type { KeyValue, Resource } from "../../../gen/opentelemetry/v1/otlp_pb.ts";
import { isName } from "../../../relay/flag/name.ts";
import { instanceLengthMax, versionLengthMax } from "../../../relay/limits.ts";
import { stackSignature } from "../../../relay/telemetry/stack-signature.ts";
import type { OtlpRecord } from "./otlp-signal.ts";

/** Which running copy of what a resource is. */
export interface OtlpApp {
  readonly project: string;
  readonly version: string;
  readonly instance: string;
}

/** What a record may add to a report. */
export type OtlpFact =
  | {
      readonly kind: "flag";
      readonly name: string;
      readonly active: boolean;
      /** The project, as flagd's and OFREP's clients are told it; empty when it is not said. */
      readonly set: string;
    }
  | { readonly kind: "crash"; readonly signature: string };

/** What is of no use, though it looks as if it was meant to be: a sentence that names the attribute. */
export interface OtlpProblem {
  readonly problem: string;
}

/** The app that a resource is, by the semantic conventions for services. */
export function appOf(resource: Resource | undefined): OtlpApp | OtlpProblem {
  const attribute = reader(resource?.attributes ?? []);
  const project = textOf(attribute("service.name"));
  const version = textOf(attribute("service.version"));
  const instance = textOf(attribute("service.instance.id"));
  if (!isName(project)) return { problem: "service.name is to be the name of a project" };
  if (version.length > versionLengthMax)
    return { problem: `service.version is longer than ${versionLengthMax} characters` };
  if (instance === "") return { problem: "service.instance.id is missing" };
  if (instance.length > instanceLengthMax)
    return { problem: `service.instance.id is longer than ${instanceLengthMax} characters` };
  return { project, version, instance };
}

/** Undefined for what no report may hold. */
export function factOf(record: OtlpRecord): OtlpFact | OtlpProblem | undefined {
  const attribute = reader(record.attributes);
  if (flagEvents.includes(record.name)) return evaluationOf(attribute);
  const isException =
    record.name === "exception" ||
    attribute("exception.type") !== undefined ||
    attribute("exception.stacktrace") !== undefined;
  if (!isException) return undefined;
  const stack = textOf(attribute("exception.stacktrace"));
  const message = textOf(attribute("exception.message"));
  return { kind: "crash", signature: stackSignature({ stack, message }) };
}

/** The name of today, and that of events of spans before it. */
const flagEvents: readonly string[] = ["feature_flag.evaluation", "feature_flag"];

type Value = string | boolean | bigint | number | undefined;
type Attributes = (key: string) => Value;

/** https://opentelemetry.io/docs/specs/semconv/feature-flags/ */
function evaluationOf(attribute: Attributes): OtlpFact | OtlpProblem | undefined {
  const name = textOf(attribute("feature_flag.key"));
  if (!isName(name)) return { problem: "feature_flag.key is to be the name of a flag" };
  const value = attribute("feature_flag.result.value") ?? attribute("feature_flag.value");
  const variant = attribute("feature_flag.result.variant") ?? attribute("feature_flag.variant");
  const active = wordOf(value) ?? wordOf(variant);
  // A flag of some other system, which is no switch.
  if (active === undefined) return undefined;
  return { kind: "flag", name, active, set: textOf(attribute("feature_flag.set.id")) };
}

function wordOf(value: Value): boolean | undefined {
  if (value === true || value === "true" || value === "on") return true;
  return value === false || value === "false" || value === "off" ? false : undefined;
}

function reader(attributes: readonly KeyValue[]): Attributes {
  return (key) => attributes.find((one) => one.key === key)?.value?.value.value;
}

function textOf(value: Value): string {
  return typeof value === "string" ? value : "";
}
