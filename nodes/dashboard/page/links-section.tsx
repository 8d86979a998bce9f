import type { JSX } from "preact";
import type { ChildStatus, GetStatusResponse } from "../../../gen/headwater/v1/nodes_pb.ts";
import { Section } from "./section.tsx";
import { agoText, countText } from "./words.ts";

/** Who this node follows, who follows it, and how fresh all of it is. */
export function LinksSection({ status }: { status: GetStatusResponse }): JSX.Element {
  const { upstreams, children, projects, fanout } = status;
  const parents = upstreams.length === 0 ? "a root" : countText(upstreams.length, "upstream");
  return (
    <Section id="links" title="Links" aside={`${parents}, ${childrenText(children.length)}`}>
      <div class="columns">
        <div>
          <h3>Projects</h3>
          <ul class="plain-list">
            {projects.map(({ project, freshness, layers }) => (
              <li key={project}>
                <span class="name">{project}</span> <Freshness word={freshness} />
                {layers.map((layer, at) => (
                  <p class="quiet" key={layer.ledger?.authority.join()}>
                    {at === 0 ? "project" : "overlay"} at {layer.position?.term ?? 0}.
                    {layer.position?.seq ?? 0},{" "}
                    {layer.writable ? "written here" : `from ${layer.primary || "nobody yet"}`}
                    {layer.beatIssuedMs > 0n &&
                      `, confirmed ${agoText(Number(layer.beatIssuedMs))} ago`}
                  </p>
                ))}
              </li>
            ))}
          </ul>
        </div>
        <div>
          <h3>Upstream</h3>
          {upstreams.length === 0 && <p class="quiet">None: this node is a root.</p>}
          <ul class="plain-list">
            {upstreams.map((one) => (
              <li key={one.address}>
                <span class="name">{one.node === "" ? one.site : `${one.site}/${one.node}`}</span>{" "}
                <span class={`chip ${one.state === "CONNECTED" ? "good" : "warn"}`}>
                  {one.state.toLowerCase()}
                </span>
                <p class="quiet">{one.problem || one.address}</p>
              </li>
            ))}
          </ul>
          {fanout !== undefined && fanout.kind !== "LOCAL" && (
            <p class="quiet">
              NATS {fanout.connected ? "connected" : "not connected"};{" "}
              {fanout.peers.length === 0 ? "no peers" : `peers: ${fanout.peers.join(", ")}`}
            </p>
          )}
        </div>
        <Sites sites={children} />
      </div>
    </Section>
  );
}

function Sites({ sites }: { sites: readonly ChildStatus[] }): JSX.Element {
  return (
    <div>
      <h3>Children</h3>
      {sites.length === 0 && (
        <p class="quiet">
          None connected. <code>headwater child add NAME</code> lets one join.
        </p>
      )}
      <ul class="plain-list">
        {sites.map((one) => {
          const behindCount = one.positions.filter(({ newest }) => !newest).length;
          return (
            <li key={`${one.site}/${one.node}`}>
              <span class="name">
                {one.site}/{one.node}
              </span>{" "}
              <span class={`chip ${behindCount === 0 ? "good" : "warn"}`}>
                {behindCount === 0 ? "up to date" : "behind"}
              </span>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function childrenText(count: number): string {
  return count === 1 ? "1 child" : `${count} children`;
}

function Freshness({ word }: { word: string }): JSX.Element {
  const tone = word === "FRESH" ? "good" : word === "STALE" ? "warn" : "bad";
  return <span class={`chip ${tone}`}>{word.toLowerCase()}</span>;
}
