import { AppError, type Facts } from "@clawcompute/lib/errors";
import type { PaymentRequirements } from "@clawcompute/lib/protocol/payments";
import { BATCH_SETTLEMENT_SCHEME } from "@x402/evm";
import { type Address, isAddressEqual } from "viem";
import type { AccountRow } from "./ledger.ts";
import type { ChannelState } from "./x402Escrow.ts";

/** Where x402's clients look again at what the chain and we say. */
const REASON = "invalid_batch_settlement_evm_cumulative_amount_mismatch";

/** What the packages say of a channel whose deposit was returned. */
export const GONE: ReadonlySet<string> = new Set([
  "invalid_batch_settlement_evm_channel_not_found",
  "invalid_batch_settlement_evm_cumulative_exceeds_balance",
]);

export const channelStateOf = (state: ChannelState, spent: bigint) => ({
  channelId: state.channelId,
  balance: String(state.balance),
  totalClaimed: String(state.totalClaimed),
  withdrawRequestedAt: state.withdrawRequestedAt,
  refundNonce: String(state.refundNonce),
  chargedCumulativeAmount: String(spent),
});

/** Without a state: a client then takes what the chain says. */
export const goneOf = ({ asset, extra }: PaymentRequirements): AppError =>
  new AppError("PAYMENT_REFUSED", "The channel's deposit does not hold this voucher.", {
    param: "payment-signature",
    facts: { reason: REASON, asset, providerId: Number(extra.providerId) },
  });

export function mismatchOf(row: AccountRow, state: ChannelState, spent: bigint): AppError {
  const { asset, providerId, settled, accepted, voucherSignature } = row;
  return new AppError("PAYMENT_REFUSED", "The voucher does not go on from what this channel has spent.", {
    param: "payment-signature",
    facts: {
      reason: REASON,
      asset,
      providerId,
      ...channelStateOf(state, spent),
      signedMaxClaimable: String(settled + accepted),
      voucherSignature,
    },
  });
}

/** What such a refusal says to a client whose books differ. The channel's entry comes first: clients look at that one only. */
export function correctAccepts(accepts: readonly PaymentRequirements[], refusal: Facts): readonly PaymentRequirements[] {
  const { reason, asset, providerId, signedMaxClaimable, voucherSignature, ...channelState } = refusal;
  if (reason !== REASON || typeof asset !== "string") return accepts;
  const isOwn = ({ scheme, asset: own, extra }: PaymentRequirements) =>
    scheme === BATCH_SETTLEMENT_SCHEME && isAddressEqual(own as Address, asset as Address) && extra.providerId === providerId;
  const voucherState = signedMaxClaimable === undefined ? {} : { voucherState: { signedMaxClaimable, signature: voucherSignature } };
  const own = accepts.filter(isOwn).map((each) => ({ ...each, extra: { ...each.extra, channelState, ...voucherState } }));
  return [...own, ...accepts.filter((each) => !isOwn(each))];
}
