import type { Chain, Offer } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { SseEvent } from "@clawcompute/lib/protocol";
import type { Hex } from "viem";
import type { Proof, ProviderClient } from "../providerClient.ts";
import type { OpenChannel } from "./channelMoves.ts";
import type { VoucherKey } from "./voucherKey.ts";
import type { SignedVoucher } from "./vouchers.ts";

/** What a provider asked for and this side accepted; its challenge is echoed in every credential. */
export interface WireTerms {
  readonly challenge: unknown;
}

/** What the provider holds after taking a voucher, raw units. */
export interface WireReceipt {
  readonly spent: bigint;
}

/** Channels as a provider speaks of them: the `session` intent of the Payment scheme, method `evm`. */
export interface ChannelWire {
  /** Throws UNSUPPORTED when the provider takes no vouchers for this offer on terms that this side accepts. */
  ask(client: ProviderClient, offer: Offer, signal: AbortSignal): Promise<WireTerms>;
  signVoucher(key: VoucherKey, channelId: Hex, cumulativeAmount: bigint): Promise<Hex>;
  /** Headers that pay for a request. */
  proof(terms: WireTerms, channelId: Hex, voucher: SignedVoucher): Proof;
  open(
    client: ProviderClient,
    terms: WireTerms,
    channel: OpenChannel,
    hash: Hex,
    voucher: SignedVoucher,
    signal: AbortSignal,
  ): Promise<void>;
  topUp(client: ProviderClient, terms: WireTerms, channel: OpenChannel, hash: Hex, signal: AbortSignal): Promise<void>;
  voucher(client: ProviderClient, terms: WireTerms, channelId: Hex, voucher: SignedVoucher, signal: AbortSignal): Promise<WireReceipt>;
  close(client: ProviderClient, terms: WireTerms, channelId: Hex, voucher: SignedVoucher, signal: AbortSignal): Promise<void>;
  /** What an event of an answer asks to have signed; undefined when it asks for nothing. */
  needed(event: SseEvent, channelId: Hex): bigint | undefined;
  /** The challenge is too old. */
  isStaleChallenge(error: AppError): boolean;
  /** The provider may not have seen the block yet. */
  isUnseen(error: AppError): boolean;
}

export function createChannelWire(_chain: Chain): ChannelWire {
  const none = () => {
    throw new AppError("UNSUPPORTED", "The provider takes no vouchers.");
  };
  return {
    ask: async () => none(),
    signVoucher: async () => none(),
    proof: none,
    open: async () => none(),
    topUp: async () => none(),
    voucher: async () => none(),
    close: async () => none(),
    needed: none,
    isStaleChallenge: () => false,
    isUnseen: () => false,
  };
}
