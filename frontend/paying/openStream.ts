import { type ContractCall, type Offer, readStream, type StreamState, streamEventsOf, streamPayWrites } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { zeroAddress } from "viem";
import type { OpeningStep, Payer } from "./payment.ts";
import { allowByWallet, tokenCall } from "./tokenAllowance.ts";
import { estimateGas, sendByWallet } from "./walletCall.ts";

/** One transaction; before it, where the offer is priced in a token, a signature (permit) or an approval. */
export async function openStream(payer: Payer, offer: Offer, seconds: number, on: (step: OpeningStep) => void): Promise<StreamState> {
  const { chain, wallet } = payer;
  const call = offer.asset === zeroAddress ? nativeCall(offer, seconds) : await tokenOpening(payer, offer, seconds, on);
  on("opening");
  const receipt = await sendByWallet(chain, wallet, call);
  const opened = streamEventsOf(receipt, chain).find((event) => event.eventName === "StreamCreated");
  if (opened?.eventName !== "StreamCreated") throw new AppError("INTERNAL", "The transaction opened no stream.");
  return readStream(chain, opened.args.id, receipt.blockNumber);
}

/** Undefined while an allowance is missing: then the call cannot be simulated. */
export async function estimateOpening(payer: Payer, offer: Offer, seconds: number): Promise<bigint | undefined> {
  if (offer.asset !== zeroAddress) return undefined;
  return estimateGas(payer.chain, payer.wallet, nativeCall(offer, seconds));
}

const termsOf = ({ owner, serviceType, id }: Offer, seconds: number) => ({
  recipient: owner,
  durationSeconds: seconds,
  serviceType,
  providerId: id,
});

const nativeCall = (offer: Offer, seconds: number): ContractCall =>
  streamPayWrites.createStream({ ...termsOf(offer, seconds), value: offer.pricePerSecond * BigInt(seconds) });

async function tokenOpening(payer: Payer, offer: Offer, seconds: number, on: (step: OpeningStep) => void): Promise<ContractCall> {
  const { asset } = offer;
  const amount = offer.pricePerSecond * BigInt(seconds);
  const permit = await allowByWallet(payer, asset, amount, () => on("allowing"));
  return permit
    ? tokenCall({ asset, amount, ...termsOf(offer, seconds) }, permit)
    : streamPayWrites.createTokenStream({ asset, amount, ...termsOf(offer, seconds) });
}
