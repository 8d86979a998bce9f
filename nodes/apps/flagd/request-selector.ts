import type { HandlerContext } from "@connectrpc/connect";
import { parseSelector, type Selector, selectorHeader } from "./selector.ts";

/** What a call's header says, else what its deprecated field does. */
export function selectorOf({ requestHeader }: HandlerContext, field = ""): Selector {
  return parseSelector(requestHeader.get(selectorHeader) ?? field);
}
