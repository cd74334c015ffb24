import { GAPS, REMEMBERED_MS } from "./metering.ts";

/** Disjoint ranges of unix ms in ascending order, each from its first to before its last; what `meters.counted` holds. */
export type Spans = readonly (readonly [from: number, to: number])[];

/**
 * The same as `countServed` says in SQL: with these ms in it, of which `added` were not there before. What is long past goes, and so
 * do the oldest gaps: what lay in them can be served for nothing only.
 */
export function addSpan(spans: Spans, from: number, to: number): { readonly spans: Spans; readonly added: number } {
  const merged: (readonly [number, number])[] = [];
  let [first, last] = [from, to];
  let known = 0;
  let placed = to <= from;
  for (const span of spans) {
    if (placed || span[1] < first) merged.push(span);
    else if (span[0] > last) {
      merged.push([first, last], span);
      placed = true;
    } else {
      known += Math.max(0, Math.min(to, span[1]) - Math.max(from, span[0]));
      first = Math.min(first, span[0]);
      last = Math.max(last, span[1]);
    }
  }
  if (!placed) merged.push([first, last]);
  return { spans: bounded(recent(merged, to - REMEMBERED_MS)), added: to > from ? to - from - known : 0 };
}

function recent(spans: Spans, since: number): Spans {
  if ((spans[0]?.[0] ?? since) >= since) return spans;
  return spans.filter(([, to]) => to > since).map(([from, to]) => [Math.max(from, since), to]);
}

function bounded(spans: Spans): Spans {
  const oldest = spans.at(-1 - GAPS);
  const [first] = spans;
  return oldest && first && oldest !== first ? [[first[0], oldest[1]], ...spans.slice(-GAPS)] : spans;
}

export const parseSpans = (text: string): Spans =>
  Array.from(text.matchAll(/\[(\d+),(\d+)\)/g), ([, from, to]) => [Number(from), Number(to)] as const);
