import { create, toBinary } from "@bufbuild/protobuf";
import { FlagSchema, RuleSchema } from "../../gen/headwater/v1/flag_pb.ts";
import { pinBasisPointsMax } from "./reference-fold.ts";

/** A flag as the operator of a project changes it. */
export interface FlagChange {
  readonly name: string;
  /** Basis points, `killed`, `newer` for what only a newer reader understands, or `gone`. */
  readonly says: string;
}

/** What a change makes of a flag, as its entry has it. */
export function flagValue(name: string, says: string): Uint8Array {
  const basisPoints = Number.isFinite(Number(says)) ? Number(says) : pinBasisPointsMax;
  const flag = create(FlagSchema, { name, basisPoints, hash: 2 });
  if (says === "killed") flag.kill = { $typeName: "headwater.v1.Kill", versions: "*" };
  if (says === "newer") flag.reader = 99;
  return toBinary(FlagSchema, flag);
}

/** @param name of the rule: its effect and its flag, `cap/flag-1` */
export function ruleValue(name: string, basisPoints: number): Uint8Array {
  const slash = name.indexOf("/");
  const flag = name.slice(slash + 1);
  const effects = {
    kill: { case: "kill", value: { versions: "*" } },
    cap: { case: "cap", value: { basisPoints } },
    pin: { case: "pin", value: { basisPoints } },
  } as const;
  const effect = effects[name.slice(0, slash) as keyof typeof effects];
  return toBinary(RuleSchema, create(RuleSchema, { flag, effect }));
}
