import process from "node:process";
import type { Texts } from "./settings.ts";

/** The environment of this process; everything else is handed what it needs of it. */
export const environment: Texts = process.env;
