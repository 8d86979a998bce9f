import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** The browser's own dialog: it keeps the focus inside, gives it back, and closes on Escape. */
export function Modal(of: {
  label: string;
  kind: "panel" | "confirm";
  onClose: () => void;
  children: ComponentChildren;
}): JSX.Element {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    if (dialog?.open === false) dialog.showModal();
  }, []);
  return (
    <dialog
      ref={ref}
      class={of.kind}
      aria-label={of.label}
      onClose={of.onClose}
      onClick={(event) => {
        // Beside the dialog is the dialog itself; inside it are its children.
        if (event.target === ref.current) of.onClose();
      }}
    >
      <div class="inside">{of.children}</div>
    </dialog>
  );
}
