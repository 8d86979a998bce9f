/** Kept for as long as the tab is open, and read by no other page: of this address only. */
const storageKey = "headwater-token";

/** From the address, as `headwater dashboard` prints it, else from before; empty for none. */
export function knownToken(): string {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given !== null) {
    keepToken(given);
    // Nobody should find it in the history, or over a shoulder.
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(storageKey) ?? "";
}

export function keepToken(token: string): void {
  sessionStorage.setItem(storageKey, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(storageKey);
}
