// Peers whose contracts exist only on GitHub, measured once with the same plumbing and not in this run: LlamaPay
// (LlamaPay/llamapay@90d18e1), Tempo's stream channel (tempoxyz/tempo@007f582, which frees a closed channel), x402's
// batch settlement (x402-foundation/x402@3d73f63) and uRaiden (raiden-network/microraiden@2d51e78).
import type { Row } from "./chain.ts";

const figures: Record<string, Record<string, number>> = {
  LlamaPay: { open: 83_303, withdraw: 62_407, end: 75_099, "withdraw in a batch of 100, one recipient": 17_267 },
  TempoStreamChannel: { open: 136_853, "top-up": 54_579, settle: 60_228, close: 62_358 },
  x402BatchSettlement: { deposit: 81_270, "claim and settle": 73_694, "claim, settle and refund": 116_657 },
  uRaiden: { open: 70_518, "top-up": 53_195, withdraw: 59_166, close: 69_729 },
};

export const quoted: readonly Row[] = Object.entries(figures).flatMap(([peer, rows]) =>
  Object.entries(rows).map(([operation, gasUsed]) => ({ suite: `${peer} (quoted)`, operation, gasUsed })),
);
