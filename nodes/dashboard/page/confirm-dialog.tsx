import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Change } from "./change.ts";
import { Modal } from "./modal.tsx";
import { type NodeClient, problemOf } from "./node-client.ts";

const outrun =
  "Somebody has changed the project meanwhile: look at what there is now, and try again.";

/** Says what is about to be changed, and does it when told to. */
export function ConfirmDialog(of: {
  change: Change;
  client: NodeClient;
  onClose: () => void;
}): JSX.Element {
  const [change, setChange] = useState(of.change);
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const confirm = async (): Promise<void> => {
    setBusy(true);
    try {
      await change.run(of.client);
      of.onClose();
    } catch (thrown) {
      const { text, isOutrun } = problemOf(thrown);
      setProblem(isOutrun ? outrun : text);
      // Where that fails as well, it is asked for again with the next attempt.
      if (isOutrun) await change.anew?.(of.client).then(setChange, () => undefined);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal label={`Change ${change.title}`} kind="confirm" onClose={of.onClose}>
      <h2>{change.title}</h2>
      <dl class="difference">
        <dt>now</dt>
        <dd>{change.before}</dd>
        <dt>then</dt>
        <dd>
          <strong>{change.after}</strong>
        </dd>
      </dl>
      <p class="quiet">{change.consequence}</p>
      {problem !== "" && (
        <p class="notice bad" role="alert">
          {problem}
        </p>
      )}
      <div class="buttons">
        <button type="button" onClick={of.onClose}>
          Cancel
        </button>
        <button
          class={change.isDangerous ? "danger" : "primary"}
          type="button"
          disabled={isBusy}
          onClick={() => void confirm()}
        >
          {isBusy ? "Changing…" : "Change it"}
        </button>
      </div>
    </Modal>
  );
}
