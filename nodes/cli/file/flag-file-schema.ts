import { z } from "zod";
import { noteLengthMax } from "../../../relay/limits.ts";
import type { flagFileKeys, flagKeys, rolloutKeys } from "./flag-fields.ts";

type Shape<Keys extends readonly string[]> = { readonly [K in Keys[number]]: z.ZodType };

const named: z.ZodType = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/)
  .describe("1 to 100 letters, digits, dots, dashes and underscores, a letter or digit first");

const percent: z.ZodType = z
  .union([z.number().min(0).max(100), z.string().regex(/^\d{1,3}(\.\d{1,2})? ?%?$/)])
  .describe("0 to 100, in steps of 0.01: the percentage of instances that take the path");

const range: z.ZodType = z
  .string()
  .describe('Releases, such as ">=2.3.0 <2.3.5"; "*" is every build. Always in quotes');

const rolloutStep: Shape<typeof rolloutKeys> = { versions: range, percent };

const flag: Shape<typeof flagKeys> = {
  percent: percent.optional(),
  rollout: z
    .array(z.strictObject(rolloutStep))
    .min(1)
    .optional()
    .describe("In the place of percent: the first step whose versions match counts"),
  versions: range.optional().describe("The releases that may take the path at all"),
  kill: z
    .union([z.boolean(), z.string()])
    .optional()
    .describe("Off for these releases whatever the percentage; true is every build"),
  note: z.string().max(noteLengthMax).optional().describe("Why; a sentence and a link"),
};

const file: Shape<typeof flagFileKeys> = {
  project: named.describe("The project whose flags these are"),
  flags: z.record(z.string(), z.strictObject(flag)).optional(),
  releases: z
    .array(named)
    .optional()
    .describe("Versions that were published; quote those that look like a number"),
  features: z.array(named).optional().describe("What a census may ask about"),
  crashes: z
    .array(z.string().regex(/^[0-9a-f]{8,64}$/))
    .optional()
    .describe("Signatures of crashes that telemetry may speak of; always in quotes"),
  aliases: z
    .record(z.string(), named)
    .optional()
    .describe("Other names that builds of a release go by"),
  libraries: z
    .record(z.string(), z.string().regex(/^sha256:[0-9a-fA-F]{64}$/))
    .optional()
    .describe("Projects that this one is built with, and the fingerprints of their authorities"),
};

/**
 * The shape of a flag file, for editors. `apply` reads files piece by piece instead, to say where
 * something is wrong and what a number was before YAML changed it; the keys of both are the same by
 * their types, and a test holds that they take the same files.
 */
export const flagFileSchema: z.ZodType = z.strictObject(file);

/** The same as JSON Schema, draft 2020-12. */
export function flagFileJsonSchema(): object {
  return {
    $id: "https://headwater.invalid/flag-file.schema.json",
    title: "Flags of a project, for headwater apply",
    ...z.toJSONSchema(flagFileSchema),
  };
}
