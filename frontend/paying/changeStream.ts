import { createdStreamId, type Offer, type StreamState, streamPayWrites } from "@clawcompute/lib/chain";
import { zeroAddress } from "viem";
import type { Payer } from "./payment.ts";
import { approveByWallet } from "./tokenAllowance.ts";
import { sendByWallet } from "./walletCall.ts";

type Changed = Pick<StreamState, "id" | "payer" | "payee" | "asset">;

/** Moves the stream's end; for a token, after an approval of exactly this amount where one is missing. */
export async function topUpByWallet(payer: Payer, { id, payer: owner, payee, asset }: Changed, amount: bigint): Promise<void> {
  const parties = { id, payer: owner, recipient: payee };
  if (asset !== zeroAddress) await approveByWallet(payer, asset, amount);
  const call =
    asset === zeroAddress
      ? streamPayWrites.topUpStream({ ...parties, value: amount })
      : streamPayWrites.topUpTokenStream({ ...parties, amount });
  await sendByWallet(payer.chain, payer.wallet, call);
}

/** Ends the stream and opens one with the rest at the offer's price as it was shown, or cheaper. Resolves with the new stream's id. */
export async function redirectByWallet({ chain, wallet }: Payer, { id }: Changed, offer: Offer): Promise<bigint> {
  const { owner: recipient, id: providerId, pricePerSecond: maxPricePerSecond } = offer;
  const call = streamPayWrites.redirectStream({ id, recipient, providerId, maxPricePerSecond });
  return createdStreamId(await sendByWallet(chain, wallet, call), chain);
}
