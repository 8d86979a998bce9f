import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Wordmark } from "./wordmark.tsx";

/** Asks for a token, and says where one is found. */
export function TokenForm(of: { problem: string; onToken: (token: string) => void }): JSX.Element {
  const [token, setToken] = useState("");
  const submit = (event: Event): void => {
    event.preventDefault();
    if (token.trim() !== "") of.onToken(token.trim());
  };
  return (
    <main class="gate">
      <form class="card" onSubmit={submit}>
        <Wordmark />
        <h1>Who are you?</h1>
        <p class="quiet">
          Paste a token of this node. Its own is in <code>admin.token</code> of its data directory;{" "}
          <code>headwater token add NAME --scope read</code> makes one that can only look.
        </p>
        {of.problem !== "" && (
          <p class="notice bad" role="alert">
            {of.problem}
          </p>
        )}
        <label for="token">Token</label>
        <input
          id="token"
          type="password"
          autocomplete="off"
          spellcheck={false}
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
        <button class="primary" type="submit">
          Open
        </button>
      </form>
    </main>
  );
}
