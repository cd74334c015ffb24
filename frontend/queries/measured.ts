import { costUp } from "@clawcompute/lib/money";

/** What checked receipts of conversations on this machine say about a provider. */
export interface MeasuredSpeed {
  readonly answers: number;
  /** Tokens that came out. */
  readonly tokens: number;
  readonly servedMs: number;
}

/** `texts`: conversations as this page keeps them. */
export function speedOf(texts: Iterable<string>, providerId: number): MeasuredSpeed | undefined {
  let [answers, tokens, servedMs] = [0, 0, 0];
  for (const text of texts) {
    for (const receipt of receiptsIn(text)) {
      const { unitsOut, servedMs: ms } = receipt;
      if (receipt.providerId !== providerId || !isCount(unitsOut) || !isCount(ms)) continue;
      answers += 1;
      tokens += unitsOut;
      servedMs += ms;
    }
  }
  return tokens > 0 ? { answers, tokens, servedMs } : undefined;
}

/** What a million tokens cost at this speed, rounded up. */
export const costOfMillion = (ratePerSecond: bigint, { tokens, servedMs }: MeasuredSpeed): bigint =>
  (costUp(ratePerSecond, servedMs) * 1_000_000n) / BigInt(tokens);

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;

function receiptsIn(text: string): Record<string, unknown>[] {
  try {
    const { turns } = JSON.parse(text) as { turns: { receipt?: { signed?: { receipt?: Record<string, unknown> } } }[] };
    return turns.flatMap(({ receipt }) => (receipt?.signed?.receipt ? [receipt.signed.receipt] : []));
  } catch {
    return [];
  }
}
