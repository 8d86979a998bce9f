import { create } from "@bufbuild/protobuf";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { CapSchema, KillSchema, type Rule, RuleSchema } from "../../../gen/headwater/v1/flag_pb.ts";
import { type Change, flagChange, ruleChange, ruleKey } from "./change.ts";
import { type FlagView, type ProjectView, ruleOf, type WritableLedger } from "./node-view.ts";
import { basisPointsOf } from "./words.ts";

const everyBuild = create(KillSchema, { versions: "*" });

interface Given {
  readonly view: FlagView;
  readonly held: ProjectView;
  readonly onChange: (change: Change) => void;
}

/** What this node may do about a flag: as its project, as an overlay of it, or nothing. */
export function FlagActions(of: Given): JSX.Element {
  const { own, overlay } = of.held;
  if (own === undefined && overlay === undefined)
    return (
      <>
        <h3>Change</h3>
        <p class="quiet">
          Written upstream. <code>headwater init {of.view.project} --overlay</code> gives this site
          a say of its own.
        </p>
      </>
    );
  return (
    <>
      {own !== undefined && <ProjectActions {...of} own={own} />}
      {overlay !== undefined && <OverlayActions {...of} overlay={overlay} />}
    </>
  );
}

/** All of a flag is written anew, so of one that can not be read all would be lost. */
function ProjectActions(of: Given & { own: WritableLedger }): JSX.Element {
  if (of.view.flag !== undefined) return <OwnActions {...of} />;
  return (
    <>
      <h3>Change</h3>
      <p class="quiet">
        Written by a newer version, or by something else: <code>headwater apply</code> replaces it.
      </p>
    </>
  );
}

function OwnActions({ view, own, onChange }: Given & { own: WritableLedger }): JSX.Element {
  const { project, name, flag } = view;
  const [percent, setPercent] = useState(String((flag?.basisPoints ?? 0) / 100));
  const basisPoints = basisPointsOf(percent);
  const isKilled = flag?.kill !== undefined;
  const changeTo = (after: Parameters<typeof flagChange>[0]["after"]): void =>
    onChange(flagChange({ project, own, name, after }));
  return (
    <>
      <h3>Change</h3>
      <form
        class="action"
        onSubmit={(event) => {
          event.preventDefault();
          if (basisPoints !== undefined)
            changeTo((before) => ({ basisPoints, kill: before?.kill }));
        }}
      >
        <label for="percent">Percentage</label>
        <input
          id="percent"
          inputMode="decimal"
          value={percent}
          aria-invalid={basisPoints === undefined}
          onInput={(event) => setPercent(event.currentTarget.value)}
        />
        <button class="primary" type="submit" disabled={basisPoints === undefined}>
          Set
        </button>
        <button
          class={isKilled ? "" : "danger"}
          type="button"
          onClick={() => changeTo(() => (isKilled ? {} : { kill: everyBuild }))}
        >
          {isKilled ? "Revive" : "Kill"}
        </button>
      </form>
    </>
  );
}

/** A rule in the place of the one before, whose note stays. */
function ruleAbout(flag: string, effect: Rule["effect"], before?: Rule): Rule {
  const rule = create(RuleSchema, { flag, note: before?.note ?? "" });
  rule.effect = effect;
  return rule;
}

/** Unless it is said, for the builds that the one before is for. */
function capAbout(
  flag: string,
  { basisPoints, versions }: { basisPoints: number; versions?: string },
  before?: Rule,
): Rule {
  const held = before?.effect.case === "cap" ? before.effect.value.versions : "";
  const value = create(CapSchema, { basisPoints, versions: versions ?? held });
  return ruleAbout(flag, { case: "cap", value }, before);
}

function killAbout(flag: string, before?: Rule): Rule {
  return ruleAbout(flag, { case: "kill", value: everyBuild }, before);
}

function OverlayActions(of: Given & { overlay: WritableLedger }): JSX.Element {
  const { view, overlay, onChange } = of;
  const { project, name } = view;
  const explained = of.held.explained.get(name);
  const cap = ruleOf(overlay.entries.get(ruleKey("cap", name)));
  const kill = ruleOf(overlay.entries.get(ruleKey("kill", name)));
  const [percent, setPercent] = useState("1");
  const basisPoints = basisPointsOf(percent);
  const changeTo = (kind: "cap" | "kill", after: Parameters<typeof ruleChange>[0]["after"]): void =>
    onChange(ruleChange({ project, overlay, name, kind, after }));
  const capTo = (cap: { basisPoints: number; versions?: string }): void =>
    changeTo("cap", (before) => capAbout(name, cap, before));
  const hold = explained?.hold;
  return (
    <>
      <h3>This site's overlay</h3>
      <form
        class="action"
        onSubmit={(event) => {
          event.preventDefault();
          if (basisPoints !== undefined) capTo({ basisPoints });
        }}
      >
        <label for="cap">At most</label>
        <input
          id="cap"
          inputMode="decimal"
          value={percent}
          aria-invalid={basisPoints === undefined}
          onInput={(event) => setPercent(event.currentTarget.value)}
        />
        <button class="primary" type="submit" disabled={basisPoints === undefined}>
          Cap
        </button>
        <button
          type="button"
          disabled={hold === undefined}
          title={explained?.holdProblem}
          onClick={() => hold && capTo({ basisPoints: hold.basisPoints, versions: hold.versions })}
        >
          Hold
        </button>
        <button
          class="danger"
          type="button"
          disabled={kill !== undefined}
          onClick={() => changeTo("kill", (before) => killAbout(name, before))}
        >
          Kill here
        </button>
        {Object.entries({ cap, kill }).map(
          ([kind, rule]) =>
            rule !== undefined && (
              <button
                key={kind}
                type="button"
                onClick={() => changeTo(kind === "cap" ? "cap" : "kill", () => undefined)}
              >
                Take the {kind} back
              </button>
            ),
        )}
      </form>
    </>
  );
}
