/** A moment in the local time zone, to the second: `2026-03-01 12:00:05`. */
export function formatTime(wallMs: number): string {
  const date = new Date(wallMs);
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(padded).join("-");
  return `${day} ${formatClock(wallMs)}`;
}

/** The time of day: `12:00:05`. */
export function formatClock(wallMs: number): string {
  const date = new Date(wallMs);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(padded).join(":");
}

function padded(part: number): string {
  return String(part).padStart(2, "0");
}
