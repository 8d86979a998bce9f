/** What flags, projects, releases and features may be called: 1 to 100 characters of ASCII. */
const NAME_PATTERN: RegExp = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** Whether `text` may name a flag, a project, a release or a feature. */
export function isName(text: string): boolean {
  return NAME_PATTERN.test(text);
}
