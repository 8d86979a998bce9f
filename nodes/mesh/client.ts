import type { ConfirmRequest, GiveBackRequest } from "../../gen/headwater/v1/mesh_pb.ts";
import type { Document } from "../../gen/headwater/v1/telemetry_pb.ts";
import type { Dial } from "../../relay/effect.ts";
import type { NodeAccess } from "../access.ts";
import { DialTurns } from "./dial-turns.ts";
import type { Tls } from "./tls.ts";
import { type LinkListener, UpstreamLink } from "./upstream-link.ts";

/** A node's links to its parents. Nothing of it is told before the call that caused it returns. */
export interface MeshClient {
  /** Ends a former link of the upstream; told are its frames, and that it has closed. */
  dial(dial: Dial): void;
  /** Nothing more is told of the link. */
  hangUp(upstream: string): void;
  /** Told, once: the parent's answer, or why there is none. */
  submitDocument(upstream: string, document: Document): void;
  /** Best effort: what is not taken now is said again with the next one. */
  confirm(upstream: string, request: ConfirmRequest): void;
  /** In this order; best effort, like the one before. */
  giveBack(upstream: string, requests: readonly GiveBackRequest[]): void;
}

export function openMeshClient(of: {
  readonly access: Pick<NodeAccess, "tell">;
  readonly tls: Tls;
  /** Ends all links. */
  readonly signal: AbortSignal;
}): MeshClient {
  const { access, signal, tls } = of;
  const links = new Map<string, UpstreamLink>();
  const turns = new DialTurns();
  const hangUp = (upstream: string): void => {
    links.get(upstream)?.end();
    links.delete(upstream);
  };
  const hangUpAll = (): void => [...links.keys()].forEach(hangUp);
  signal.addEventListener("abort", hangUpAll, { once: true });
  return {
    hangUp,
    dial(dial) {
      const { upstream, address } = dial;
      let isHeard = false;
      hangUp(upstream);
      if (signal.aborted) return;
      const listener: LinkListener = {
        frame(frame) {
          isHeard = true;
          access.tell({ kind: "upstream-frame", upstream, frame });
        },
        closed(why, isSilent) {
          if (!isHeard) turns.failed(address, isSilent);
          links.delete(upstream);
          access.tell({ kind: "upstream-closed", upstream, why });
        },
      };
      links.set(upstream, new UpstreamLink({ dial, tls, listener, turn: turns.next(address) }));
    },
    submitDocument(upstream, document) {
      const link = links.get(upstream);
      const answer = link?.submit(document) ?? Promise.resolve("there is no link to the parent");
      void answer.then((outcome) => {
        if (signal.aborted) return;
        access.tell({ kind: "document-answered", upstream, document, outcome });
      });
    },
    confirm(upstream, request) {
      void links.get(upstream)?.confirm(request);
    },
    giveBack(upstream, requests) {
      void links.get(upstream)?.giveBack(requests);
    },
  };
}
