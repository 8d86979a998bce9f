/** What a bad verdict of a site's own does. */
export type OnBad = "REPORT" | "KILL";
