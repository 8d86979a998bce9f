import { create } from "@bufbuild/protobuf";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { CapSchema, KillSchema, type Rule, RuleSchema } from "../../../gen/headwater/v1/flag_pb.ts";
import { type Change, flagChange, ruleChange, ruleKey } from "./change.ts";
import { type FlagView, type ProjectView, ruleOf, type WritableLedger } from "./node-view.ts";
import { basisPointsOf } from "./words.ts";

const everyBuild: Rule["effect"] = {
  case: "kill",
  value: create(KillSchema, { versions: "*" }),
};

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
  const { project, name, flag: before } = view;
  const [percent, setPercent] = useState(String((before?.basisPoints ?? 0) / 100));
  const basisPoints = basisPointsOf(percent);
  const isKilled = before?.kill !== undefined;
  const kill = isKilled ? undefined : create(KillSchema, { versions: "*" });
  const changeTo = (after: Parameters<typeof flagChange>[0]["after"]): void =>
    onChange(flagChange({ project, own, name, before, after }));
  return (
    <>
      <h3>Change</h3>
      <form
        class="action"
        onSubmit={(event) => {
          event.preventDefault();
          if (basisPoints !== undefined)
            changeTo({ basisPoints, ...(before?.kill && { kill: before.kill }) });
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
          onClick={() => changeTo({ ...(kill && { kill }) })}
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

function OverlayActions(of: Given & { overlay: WritableLedger }): JSX.Element {
  const { view, overlay, onChange } = of;
  const { project, name } = view;
  const explained = of.held.explained.get(name);
  const cap = ruleOf(overlay.entries.get(ruleKey("cap", name)));
  const kill = ruleOf(overlay.entries.get(ruleKey("kill", name)));
  const [percent, setPercent] = useState("1");
  const basisPoints = basisPointsOf(percent);
  const changeTo = (kind: "cap" | "kill", before?: Rule, after?: Rule): void =>
    onChange(ruleChange({ project, overlay, name, kind, before, after }));
  const capTo = (value: { basisPoints: number; versions: string }): void =>
    changeTo("cap", cap, ruleAbout(name, { case: "cap", value: create(CapSchema, value) }, cap));
  const versions = cap?.effect.case === "cap" ? cap.effect.value.versions : "";
  const hold = explained?.hold;
  return (
    <>
      <h3>This site's overlay</h3>
      <form
        class="action"
        onSubmit={(event) => {
          event.preventDefault();
          if (basisPoints !== undefined) capTo({ basisPoints, versions });
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
          onClick={() => changeTo("kill", kill, ruleAbout(name, everyBuild))}
        >
          Kill here
        </button>
        {Object.entries({ cap, kill }).map(
          ([kind, rule]) =>
            rule !== undefined && (
              <button
                key={kind}
                type="button"
                onClick={() => changeTo(kind === "cap" ? "cap" : "kill", rule)}
              >
                Take the {kind} back
              </button>
            ),
        )}
      </form>
    </>
  );
}
