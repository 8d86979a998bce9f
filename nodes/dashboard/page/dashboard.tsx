import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { forgetToken, keepToken, knownToken } from "./kept-token.ts";
import { openNodeClient } from "./node-client.ts";
import { NodePage } from "./node-page.tsx";
import { TokenForm } from "./token-form.tsx";

/** The page: a question for the token, then the node. */
export function Dashboard(): JSX.Element {
  const [token, setToken] = useState(knownToken);
  const [problem, setProblem] = useState("");
  const client = useMemo(() => openNodeClient(token), [token]);
  useEffect(() => {
    // Another address of this page, with a token in it, loads nothing anew.
    const take = (): void => setToken(knownToken());
    window.addEventListener("hashchange", take);
    return () => window.removeEventListener("hashchange", take);
  }, []);
  if (token === "")
    return (
      <TokenForm
        problem={problem}
        onToken={(given) => {
          keepToken(given);
          setProblem("");
          setToken(given);
        }}
      />
    );
  const leave = (why: string): void => {
    forgetToken();
    setProblem(why);
    setToken("");
  };
  return <NodePage key={token} client={client} onLeave={leave} />;
}
