import { type ChannelState, type ContractCall, channelWrites, type SentTransaction } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { Domain } from "@clawcompute/lib/protocol";
import {
  addressOfDid,
  type ChannelTerms,
  type Credential,
  channelIdOf,
  type OpenPayload,
  type TopUpPayload,
} from "@clawcompute/lib/protocol/payments";
import { type Address, type Hex, isAddressEqual, zeroAddress } from "viem";
import type { Quote } from "./challenges.ts";

/** Brings a channel or more money onto the chain, for payers that need no gas; or believes the chain that it is there. */
export interface Openings {
  /** The terms of the channel that a credential shows, whoever opened it. Throws what is wrong with it. */
  open(credential: Credential<OpenPayload>, quote: Quote): Promise<{ readonly terms: ChannelTerms; readonly state: ChannelState }>;
  topUp(payload: TopUpPayload, state: ChannelState): Promise<ChannelState>;
}

export interface OpeningsOptions {
  readonly domain: Domain;
  readonly payee: Address;
  readonly read: (id: Hex) => Promise<ChannelState>;
  readonly relay: ((call: ContractCall) => Promise<SentTransaction>) | undefined;
  readonly credentialTypes: (asset: Address) => Promise<readonly string[]>;
  /** A relayed opening brings at least this much time, or it is not worth its gas. */
  readonly minSeconds: number;
}

export function createOpenings({ domain, payee, read, relay, credentialTypes, minSeconds }: OpeningsOptions): Openings {
  const refuse = (message: string, param: string) => new AppError("PAYMENT_REFUSED", message, { param });

  async function assertAccepted(type: string, asset: Address): Promise<void> {
    if ((await credentialTypes(asset)).includes(type)) return;
    throw refuse(`Channels in this asset cannot be opened by "${type}" here.`, "type");
  }

  function relayed(call: ContractCall): Promise<SentTransaction> {
    if (!relay) throw refuse("This provider sends no transactions for its payers.", "type");
    return relay(call).catch((thrown) => {
      throw refused(thrown);
    });
  }

  async function relayOpening(payload: Exclude<OpenPayload, { type: "hash" }>, terms: ChannelTerms, rate: bigint): Promise<void> {
    const deposit = payload.type === "permit2" ? payload.authorization.permitted.amount : payload.authorization.value;
    if (deposit < rate * BigInt(minSeconds)) throw refuse(`A deposit sent by this provider must cover ${minSeconds} s.`, "authorization");
    const opening = { ...terms, deposit };
    if (payload.type === "authorization") {
      const { authorization, signature } = payload;
      if (!isAddressEqual(authorization.to, domain.verifyingContract)) throw refuse("The authorization pays somebody else.", "to");
      await relayed(channelWrites.openWithAuthorization(opening, { ...authorization, signature }));
      return;
    }
    const { authorization, signature } = payload;
    const { witness, permitted } = authorization;
    const agrees =
      isAddressEqual(permitted.token, terms.token) &&
      isAddressEqual(witness.payee, terms.payee) &&
      witness.salt.toLowerCase() === terms.salt.toLowerCase() &&
      isAddressEqual(witness.authorizedSigner, terms.authorizedSigner);
    if (!agrees) throw refuse("The permit's witness names other terms than the channel.", "witness");
    await relayed(channelWrites.openWithPermit2(opening, { ...authorization, signature }));
  }

  return {
    open: async ({ payload, source }, { asset, ratePerSecond }) => {
      const { channelId, salt, authorizedSigner = zeroAddress } = payload;
      const payer = payload.type === "hash" ? addressOfDid(source, domain.chainId) : payload.authorization.from;
      if (!payer) throw new AppError("BAD_REQUEST", "The credential must name its payer on this chain.", { param: "source" });
      const terms: ChannelTerms = { payer, payee, token: asset, salt, authorizedSigner };
      if (channelIdOf(domain, terms).toLowerCase() !== channelId.toLowerCase()) {
        throw new AppError("WRONG_PROVIDER", "The channel's id is not that of these terms, this payee and this chain.", {
          param: "channelId",
          facts: { payee, asset, chainId: domain.chainId, contract: domain.verifyingContract },
          hint: "Open a channel to the payee and in the asset that the challenge names.",
        });
      }
      let state = await read(channelId);
      if (payload.type !== "hash" && state.status === "unknown") {
        await assertAccepted(payload.type, asset);
        await relayOpening(payload, terms, ratePerSecond);
        state = await read(channelId);
      }
      assertLive(state);
      return { terms, state };
    },

    topUp: async (payload, { id, token }) => {
      if (payload.type !== "hash") {
        await assertAccepted(payload.type, token);
        const { additionalDeposit } = payload;
        const amount = payload.type === "permit2" ? payload.authorization.permitted.amount : payload.authorization.value;
        if (amount !== additionalDeposit) throw refuse("The authorization is for another amount.", "additionalDeposit");
        await relayed(
          payload.type === "authorization"
            ? channelWrites.topUpWithAuthorization(
                { id, additionalDeposit, salt: payload.salt },
                { ...payload.authorization, signature: payload.signature },
              )
            : channelWrites.topUpWithPermit2({ id, additionalDeposit }, { ...payload.authorization, signature: payload.signature }),
        );
      }
      const state = await read(id);
      assertLive(state);
      return state;
    },
  };
}

/** Throws CHANNEL_UNKNOWN, CHANNEL_CLOSED or CHANNEL_CLOSING. */
export function assertLive({ id, status }: Pick<ChannelState, "id" | "status">): void {
  const facts = { channelId: id };
  if (status === "unknown")
    throw new AppError("CHANNEL_UNKNOWN", "There is no such channel on the chain yet.", { param: "channelId", facts });
  if (status === "closed") throw new AppError("CHANNEL_CLOSED", "This channel is closed.", { param: "channelId", facts });
  if (status === "closing") throw new AppError("CHANNEL_CLOSING", "The payer asked to close this channel.", { param: "channelId", facts });
}

/** What the chain said of a payer's authorization; nothing of the endpoint or of our wallet leaves this process. */
export function refused(thrown: unknown): AppError {
  const { code } = AppError.from(thrown);
  const ours = ["WALLET_UNFUNDED", "CHAIN_UNAVAILABLE", "TRANSACTION_UNCERTAIN", "STORE_UNAVAILABLE", "ABORTED", "INTERNAL"];
  if (ours.includes(code))
    return new AppError("CHAIN_UNAVAILABLE", "The payment could not be sent just now.", { cause: thrown, retryAfterSeconds: 5 });
  return new AppError("PAYMENT_REFUSED", "The chain refused the payment.", { facts: { reason: code }, cause: thrown });
}
