import type { Chain } from "@clawcompute/lib/chain";
import { costUp, worstCaseLoss } from "@clawcompute/lib/money";
import type { Domain } from "@clawcompute/lib/protocol";
import { zeroAddress } from "viem";
import type { PaymentWay } from "./payment.ts";

/** What a way means, which is shown before anything is done by it. */
export type WayTerms = Pick<PaymentWay, "name" | "meaning" | "canPay" | "domain" | "worstLoss">;

/** How much longer than measured here a provider may claim for one answer: its clock starts and stops elsewhere. */
export const TOLERANCE_MS = 250;
const FIRST_TOKEN_MS = 30_000;
const STEP_MS = 1_000;

export const domainOf = ({ network }: Chain): Domain => ({ chainId: network.chainId, verifyingContract: network.contracts.streamPay });

export const streamTerms: WayTerms = {
  name: "Stream",
  meaning: "The deposit turns into the provider's money by the chain's clock; what was not served comes back when you end it.",
  canPay: ({ serviceType }) => serviceType === 0,
  domain: domainOf,
  worstLoss: ({ network }, { pricePerSecond }, seconds) => {
    const worst = worstCaseLoss(pricePerSecond, FIRST_TOKEN_MS, network.blockTimeMs * (network.confirmations + 1));
    const deposit = pricePerSecond * BigInt(seconds);
    return worst < deposit ? worst : deposit;
  },
};

export const channelTerms: WayTerms = {
  name: "Channel",
  meaning: "This page signs for a second ahead while an answer comes, and for nothing else: you never risk more than that second.",
  canPay: ({ serviceType, asset }) => serviceType === 0 && asset === zeroAddress,
  domain: domainOf,
  worstLoss: (_chain, { pricePerSecond }, seconds) => {
    const step = costUp(pricePerSecond, STEP_MS);
    const deposit = pricePerSecond * BigInt(seconds);
    return step < deposit ? step : deposit;
  },
};
