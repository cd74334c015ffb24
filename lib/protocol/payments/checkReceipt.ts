import { type Address, type Hex, isAddressEqual } from "viem";
import { AppError } from "../../errors/index.ts";
import { costDown } from "../../money/index.ts";
import type { SignedReceipt } from "../receipts.ts";

/** What a payer itself knows about an answer that a channel pays for. */
export interface ChannelMeasure {
  readonly channelId: Hex;
  readonly providerId: number;
  readonly ratePerSecond: bigint;
  /** Addresses that may sign: the provider's signer and its owner. */
  readonly signers: readonly Address[];
  readonly bodyHash: Hex;
  /** From sending to the last byte, in ms. */
  readonly measuredMs: number;
  /** The most that the channel was in use, tolerance included, in ms. */
  readonly mostMs: number;
  /** How much longer than measured the provider may claim: its clock starts and stops elsewhere. */
  readonly toleranceMs: number;
}

/**
 * The payer's own checks of a channel's receipt, apart from the signature. Answers overlap and end in any order, so the sum is held
 * against the channel's stopwatch and not against the receipt before. Throws PROVIDER_DISHONEST naming the first lie.
 */
export function checkChannelReceipt({ receipt, signer, settlement }: SignedReceipt, own: ChannelMeasure): void {
  const claims: readonly [boolean, string][] = [
    [receipt.kind === "channel" && receipt.payment.toLowerCase() === own.channelId.toLowerCase(), "names another channel"],
    [receipt.providerId === own.providerId, "names another provider"],
    [own.signers.some((allowed) => isAddressEqual(allowed, signer)), "is signed by a stranger"],
    [receipt.bodyHash.toLowerCase() === own.bodyHash.toLowerCase(), "is about another answer (body hash)"],
    [receipt.servedMs <= own.measuredMs + own.toleranceMs, "claims more time than was measured here"],
    [receipt.cumulativeServedMs <= own.mostMs, "claims more time for the channel than was measured here"],
    [receipt.cumulativeAmount <= costDown(own.ratePerSecond, receipt.cumulativeServedMs), "does not add up (amount)"],
    [settlement === undefined, "carries a stream's settlement"],
  ];
  const lie = claims.find(([holds]) => !holds);
  if (lie) throw new AppError("PROVIDER_DISHONEST", `The receipt ${lie[1]}.`, { facts: { requestId: receipt.requestId } });
}
