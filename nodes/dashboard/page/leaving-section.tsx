import { toJson } from "@bufbuild/protobuf";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { PreviewDocumentResponse, SentDocument } from "../../../gen/headwater/v1/fleet_pb.ts";
import type { GetStatusResponse } from "../../../gen/headwater/v1/nodes_pb.ts";
import { DocumentSchema } from "../../../gen/headwater/v1/telemetry_pb.ts";
import { type NodeClient, problemOf } from "./node-client.ts";
import { Section } from "./section.tsx";
import { timeText } from "./words.ts";

interface Leaving {
  readonly weights: PreviewDocumentResponse;
  readonly health: PreviewDocumentResponse;
  readonly sent: readonly SentDocument[];
}

const sentShownMax = 5;

/** Exactly what would be sent upstream now, what was sent, and by whose choice. */
export function LeavingSection(of: {
  client: NodeClient;
  project: string;
  status: GetStatusResponse;
}): JSX.Element {
  const { client, project, status } = of;
  const [leaving, setLeaving] = useState<Leaving>();
  const [problem, setProblem] = useState("");
  useEffect(() => {
    if (project === "") return undefined;
    let isLast = true;
    const ask = async (): Promise<void> => {
      const [weights, health, { documents }] = await Promise.all([
        client.fleet.previewDocument({ project, kind: "WEIGHTS" }),
        client.fleet.previewDocument({ project, kind: "HEALTH" }),
        client.fleet.listDocuments({ project, limit: sentShownMax }),
      ]);
      if (!isLast) return;
      setLeaving({ weights, health, sent: documents });
      setProblem("");
    };
    ask().catch((thrown: unknown) => isLast && setProblem(problemOf(thrown).text));
    return () => {
      isLast = false;
    };
  }, [client, project, status]);
  const levels = status.disclosures.map(
    ({ upstream, level }) => `${level.toLowerCase()} to ${upstream}`,
  );
  return (
    <Section
      id="leaving"
      title="What leaves this node"
      aside={levels.join(", ") || "nothing: there is nobody upstream"}
    >
      {problem !== "" && <p class="notice bad">{problem}</p>}
      {leaving !== undefined && (
        <div class="columns">
          <Preview title="Weights" preview={leaving.weights} />
          <Preview title="Health" preview={leaving.health} />
          <Sent documents={leaving.sent} />
        </div>
      )}
    </Section>
  );
}

function Preview(of: { title: string; preview: PreviewDocumentResponse }): JSX.Element {
  const { document, bytes, why } = of.preview;
  return (
    <div>
      <h3>{of.title}</h3>
      {document === undefined ? (
        <p class="quiet">Nothing would be sent: {why}.</p>
      ) : (
        <details>
          <summary>
            Exactly this, {bytes} bytes, as {document.disclosure.toLowerCase()}
          </summary>
          <pre tabIndex={0}>
            {JSON.stringify(
              toJson(DocumentSchema, document, { alwaysEmitImplicit: true }),
              null,
              1,
            )}
          </pre>
        </details>
      )}
    </div>
  );
}

function Sent({ documents }: { documents: readonly SentDocument[] }): JSX.Element {
  return (
    <div>
      <h3>Sent</h3>
      {documents.length === 0 && <p class="quiet">Nothing was sent yet.</p>}
      <ul class="plain-list">
        {documents.map((one) => (
          <li key={`${one.atMs}${one.document?.kind}`}>
            {one.document?.kind.toLowerCase()} to {one.upstream}{" "}
            <span class={`chip ${one.outcome === "ACCEPTED" ? "good" : ""}`}>
              {one.outcome.toLowerCase() || "on its way"}
            </span>
            <p class="quiet">{timeText(Number(one.atMs))}</p>
          </li>
        ))}
      </ul>
    </div>
  );
}
