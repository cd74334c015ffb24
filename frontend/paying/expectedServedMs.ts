import type { Conversation } from "./conversation.ts";

const UNKNOWN_MS = 10_000;

/** How long an answer of this provider takes: the median of its receipts to this payer, or a plain assumption. */
export function expectedServedMs(conversations: readonly Conversation[], providerId: number): { ms: number; isMeasured: boolean } {
  const served = conversations
    .flatMap(({ turns }) => turns.flatMap(({ receipt }) => receipt ?? []))
    .filter(({ signed }) => (signed as { receipt?: { providerId?: unknown } } | undefined)?.receipt?.providerId === providerId)
    .map(({ servedMs }) => servedMs)
    .sort((a, b) => a - b);
  const median = served[Math.floor(served.length / 2)];
  return median === undefined ? { ms: UNKNOWN_MS, isMeasured: false } : { ms: median, isMeasured: true };
}
