/** What is wrong with the length of a field, in UTF-16 code units; undefined where nothing is. */
export function lengthProblem(
  field: string,
  value: string,
  { min = 0, max }: { min?: number; max: number },
): string | undefined {
  if (value === "" && min > 0) return `${field}: missing; ${min} to ${max} characters`;
  return value.length < min || value.length > max
    ? `${field}: ${value.length} characters; ${min} to ${max} are allowed`
    : undefined;
}
