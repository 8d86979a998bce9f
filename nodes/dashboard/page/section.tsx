import type { ComponentChildren, JSX } from "preact";

/** A part of the page with its title, and what is said beside it. */
export function Section(of: {
  id: string;
  title: string;
  aside?: string;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <section class="card" id={of.id} aria-labelledby={`${of.id}-title`}>
      <header>
        <h2 id={`${of.id}-title`}>{of.title}</h2>
        {of.aside !== undefined && <p class="quiet">{of.aside}</p>}
      </header>
      {of.children}
    </section>
  );
}
