/** Unix seconds as "21 Nov 2026, 04:53". */
export const atText = (seconds: number): string =>
  new Date(seconds * 1000).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });

/** Days since 1970-01-01, UTC, as "21 Nov". */
export const dayText = (day: number): string =>
  new Date(day * 86_400_000).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });

/** A length of time in its two largest units: "2 d 4 h", "12 min 5 s". */
export function spanText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const units = [
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
    [1, "s"],
  ] as const;
  const first = units.findIndex(([size]) => whole >= size);
  if (first < 0) return "0 s";
  const [size, name] = units[first] ?? [1, "s"];
  const next = units[first + 1];
  const rest = next ? Math.floor((whole % size) / next[0]) : 0;
  return `${Math.floor(whole / size)} ${name}${next && rest > 0 ? ` ${rest} ${next[1]}` : ""}`;
}

/** How long ago, counted from the chain's time: "12 s ago". */
export const agoText = (at: number, now: number): string => (now - at < 1 ? "just now" : `${spanText(now - at)} ago`);
