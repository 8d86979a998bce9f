import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { answerText, type HttpFallback, notFound, pathOf } from "../http/http-handler.ts";
import { pageScript } from "./page-script.ts";

const pageDir = join(import.meta.dirname, "page");

/** Nothing is loaded from anywhere else, nothing runs that is not ours, nobody frames it. */
const headers = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-cache",
};

interface PageFile {
  readonly contentType: string;
  readonly read: () => string | Promise<string>;
}

const files: Readonly<Record<string, PageFile>> = {
  "/": { contentType: "text/html; charset=utf-8", read: () => textOf("index.html") },
  "/dashboard.css": { contentType: "text/css; charset=utf-8", read: () => textOf("style.css") },
  "/dashboard.svg": { contentType: "image/svg+xml", read: () => textOf("icon.svg") },
  "/dashboard.js": { contentType: "text/javascript; charset=utf-8", read: pageScript },
};

/**
 * The dashboard: four files that need no token, as they say nothing of this node. What the page
 * shows it asks for with the token that is typed into it.
 */
export function dashboardFiles(): HttpFallback {
  return async (request, response) => {
    const file = files[pathOf(request)];
    if (file === undefined || (request.method !== "GET" && request.method !== "HEAD"))
      return notFound(request, response);
    const text = await file.read();
    const etag = `"${createHash("sha256").update(text).digest("base64url").slice(0, 22)}"`;
    const isKnown = request.headers["if-none-match"] === etag;
    answerText(response, {
      status: isKnown ? 304 : 200,
      headers: { ...headers, etag, "content-type": file.contentType },
      text: isKnown || request.method === "HEAD" ? "" : text,
    });
  };
}

function textOf(name: string): string {
  return readFileSync(join(pageDir, name), "utf8");
}
