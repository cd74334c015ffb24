import { type Chain, channelEventsOf, channelWrites, type Offer, readChannel, readOffer } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { decodeSignedReceipt, verifyReceiptSignature, ZERO_HASH } from "@clawcompute/lib/protocol";
import { checkChannelReceipt } from "@clawcompute/lib/protocol/payments";
import { type Address, type Hex, isAddressEqual, toHex } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import {
  askChallenge,
  type ChannelSession,
  chatUrlOf,
  createChannelSession,
  forgetChannel,
  keepChannel,
  keptChannel,
} from "./channelSession.ts";
import { sessions } from "./channelSessions.ts";
import { closedByProvider, leaveByWallet } from "./channelWallet.ts";
import type { Payment, PaymentWay } from "./payment.ts";
import { estimateGas, sendByWallet } from "./walletCall.ts";
import { channelTerms, domainOf, TOLERANCE_MS } from "./wayTerms.ts";

export interface ChannelPayment extends Payment {
  readonly kind: "channel";
  readonly end: undefined;
}

function sessionOf(chain: Chain, { id, providerId, endpoint, ratePerSecond, deposit }: Payment): ChannelSession {
  const known = sessions.get(id);
  if (known) return known;
  const amounts = { ratePerSecond: BigInt(ratePerSecond), deposit: BigInt(deposit) };
  const session = createChannelSession({ chain, id: id as Hex, providerId, endpoint, ...amounts });
  sessions.set(id, session);
  return session;
}

const openCall = ({ owner: payee, asset: token, pricePerSecond }: Offer, seconds: number, salt: Hex, authorizedSigner: Address) =>
  channelWrites.open({ payee, token, deposit: pricePerSecond * BigInt(seconds), salt, authorizedSigner });

const freshSalt = () => toHex(crypto.getRandomValues(new Uint8Array(32)));

/** A deposit that moves by vouchers, which a key made in this page signs while an answer comes: the wallet is asked once. */
export const channelWay: PaymentWay<ChannelPayment> = {
  kind: "channel",
  ...channelTerms,
  openingGas: ({ chain, wallet }, offer, seconds) => estimateGas(chain, wallet, openCall(offer, seconds, freshSalt(), offer.owner)),
  open: async ({ chain, wallet }, offer, seconds, on) => {
    const { id: providerId, model, endpoint, owner, signer, asset, pricePerSecond } = offer;
    // Before any money moves: whether this provider takes vouchers at all.
    await askChallenge(chatUrlOf(endpoint, chain.network.isLocal), providerId);
    const voucherKey = generatePrivateKey();
    const salt = freshSalt();
    on("opening");
    const receipt = await sendByWallet(chain, wallet, openCall(offer, seconds, salt, privateKeyToAccount(voucherKey).address));
    const opened = channelEventsOf(receipt, chain).find(({ eventName }) => eventName === "ChannelOpened");
    if (opened?.eventName !== "ChannelOpened") throw new AppError("INTERNAL", "The transaction opened no channel.");
    const { channelId: id, deposit } = opened.args;
    const { transactionHash: openHash, blockNumber } = receipt;
    keepChannel(id, { voucherKey, salt, payer: wallet.account.address, openHash, openBlock: String(blockNumber), busyMs: 0, signed: "0" });
    // The deposit is out: from here on nothing may keep the conversation from knowing of it.
    const start = await chain.client.getBlock({ blockNumber }).then(
      ({ timestamp }) => Number(timestamp),
      () => Math.floor(Date.now() / 1000),
    );
    const payment: ChannelPayment = {
      kind: "channel",
      id,
      providerId,
      model,
      endpoint,
      signers: signer ? [owner, signer] : [owner],
      asset,
      ratePerSecond: String(pricePerSecond),
      deposit: String(deposit),
      start,
      end: undefined,
      // The voucher key is not a token: it never leaves this page.
      token: "",
    };
    // Where it is not taken now, the question shows it again.
    await sessionOf(chain, payment)
      .show()
      .catch(() => {});
    return { payment, servedMs: 0, lastReceiptHash: ZERO_HASH };
  },
  ask: (chain, payment, question, signal) => sessionOf(chain, payment).ask(question, signal),
  verify: async (chain, payment, { signed, bodyHash }, { measuredMs, previousServedMs }) => {
    const decoded = decodeSignedReceipt(signed);
    const { receipt, signature, signer } = decoded;
    checkChannelReceipt(decoded, {
      channelId: payment.id as Hex,
      providerId: payment.providerId,
      ratePerSecond: BigInt(payment.ratePerSecond),
      signers: await signersOf(chain, payment, signer),
      bodyHash,
      measuredMs,
      mostMs: previousServedMs + measuredMs + TOLERANCE_MS,
      toleranceMs: TOLERANCE_MS,
    });
    await verifyReceiptSignature(domainOf(chain), receipt, signature, signer);
    sessionOf(chain, payment).agree(receipt.cumulativeServedMs, receipt.cumulativeAmount);
    return decoded;
  },
  end: async (payer, payment) => {
    const { chain } = payer;
    const ended = {
      id: payment.id as Hex,
      asset: payment.asset,
      openBlock: BigInt(keptChannel(payment.id)?.openBlock ?? chain.network.deployBlock),
    };
    const together = keptChannel(payment.id) !== undefined && (await sessionOf(chain, payment).close());
    const ending = (together && (await closedByProvider(chain, ended))) || (await leaveByWallet(payer, ended));
    sessions.delete(payment.id);
    forgetChannel(payment.id);
    return ending;
  },
  isOpen: async (chain, { id }) => (await readChannel(chain, id as Hex)).status === "open",
};

/** Read again when somebody else signed: the hot key may have been changed meanwhile. */
async function signersOf(chain: Chain, payment: Payment, claimed: Address): Promise<readonly Address[]> {
  if (payment.signers.some((known) => isAddressEqual(known, claimed))) return payment.signers;
  const { owner, signer } = await readOffer(chain, payment.providerId);
  return signer ? [owner, signer] : [owner];
}
