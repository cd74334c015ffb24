import { type Chain, chainTimeMs, type Offer, readOffer, readStream, type StreamState } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { costDown } from "@clawcompute/lib/money";
import {
  checkReceipt,
  decodeSignedReceipt,
  type Settlement,
  verifyReceiptSignature,
  verifySettlementSignature,
} from "@clawcompute/lib/protocol";
import { type Address, isAddressEqual } from "viem";
import { cancelByWallet, settleByWallet } from "./endStream.ts";
import { estimateOpening, openStream } from "./openStream.ts";
import type { Ending, Opened, OwnMeasure, Payer, Payment, PaymentWay } from "./payment.ts";
import { providerApi } from "./providerApi.ts";
import { openSession } from "./session.ts";
import { domainOf, streamTerms, TOLERANCE_MS } from "./wayTerms.ts";

export interface StreamPayment extends Payment {
  readonly kind: "stream";
  readonly end: number;
}

const apiOf = (chain: Chain, { endpoint }: Pick<Payment, "endpoint">) => providerApi(endpoint, chain.network.isLocal);

export const streamWay: PaymentWay<StreamPayment> = {
  kind: "stream",
  ...streamTerms,
  openingGas: estimateOpening,
  open: async (payer, offer, seconds, on) => {
    const state = await openStream(payer, offer, seconds, on);
    on("signing");
    const openedAt = performance.now();
    return withSession(payer, state, offer, () => state.start + Math.floor((performance.now() - openedAt) / 1000));
  },
  ask: (chain, payment, question, signal) => apiOf(chain, payment).chat(payment.token, question, signal),
  verify: async (chain, payment, { signed, bodyHash }, own) => {
    const decoded = decodeSignedReceipt(signed);
    const { ratePerSecond, providerId, id } = payment;
    checkReceipt(decoded, {
      ...followed(decoded.receipt, own),
      bodyHash,
      streamId: BigInt(id),
      providerId,
      ratePerSecond: BigInt(ratePerSecond),
      signers: await signersOf(chain, payment, decoded.signer),
      toleranceMs: TOLERANCE_MS,
    });
    await verifyReceiptSignature(domainOf(chain), decoded.receipt, decoded.signature, decoded.signer);
    return decoded;
  },
  end: async (payer, payment, mostMs) => {
    const settlement = await askSettlement(payer.chain, payment).catch(() => undefined);
    const ended = { id: BigInt(payment.id), asset: payment.asset };
    if (!settlement) return cancelByWallet(payer, ended);
    const ending = await settleByWallet(payer, ended, settlement);
    const measured = mostMs < Number.MAX_SAFE_INTEGER && costDown(BigInt(payment.ratePerSecond), mostMs);
    return ending.kind === "settled" && measured !== false ? { ...ending, overclaimed: settlement.owed > measured } : ending;
  },
  isOpen: async (chain, { id }) => !["closed", "unknown"].includes((await readStream(chain, BigInt(id))).status),
};

/**
 * An answer that broke off without a receipt may have left one at the provider: then the next may follow any, and may count the time
 * that this page measured for the lost one, but no more.
 */
function followed({ previousReceiptHash, cumulativeServedMs, servedMs }: Followable, own: OwnMeasure) {
  if (own.previousReceiptHash !== undefined) return { ...own, previousReceiptHash: own.previousReceiptHash };
  const claimed = cumulativeServedMs - servedMs;
  const { measuredMs, previousServedMs } = own;
  return { measuredMs, previousReceiptHash, previousServedMs: claimed <= previousServedMs + TOLERANCE_MS ? claimed : previousServedMs };
}

type Followable = { readonly previousReceiptHash: `0x${string}`; readonly cumulativeServedMs: number; readonly servedMs: number };

/** Goes on with a stream of which this page may know no more than the chain does: asks for one signature. */
export async function resumeStream(payer: Payer, found: StreamState): Promise<Opened<StreamPayment>> {
  const offer = await readOffer(payer.chain, found.providerId);
  const nowSeconds = Math.floor((await chainTimeMs(payer.chain)) / 1000);
  return withSession(payer, found, offer, () => nowSeconds);
}

/** Ends one that may be known only from the chain: asks its provider what is owed, and cancels where it does not say. */
export async function endFoundStream(payer: Payer, found: StreamState, keptToken: string | undefined): Promise<Ending> {
  if (found.providerId === 0 || found.status !== "active") return cancelByWallet(payer, found);
  let payment: StreamPayment;
  try {
    payment = keptToken
      ? paymentOf(found, await readOffer(payer.chain, found.providerId), keptToken)
      : (await resumeStream(payer, found)).payment;
  } catch (thrown) {
    const error = AppError.from(thrown);
    if (error.code === "ABORTED") throw error;
    return cancelByWallet(payer, found);
  }
  return streamWay.end(payer, payment, Number.MAX_SAFE_INTEGER);
}

async function withSession(payer: Payer, state: StreamState, offer: Offer, nowSeconds: () => number): Promise<Opened<StreamPayment>> {
  const api = providerApi(offer.endpoint, payer.chain.network.isLocal);
  const { token, servedMs, lastReceiptHash } = await openSession(payer, state.id, nowSeconds, api);
  return { payment: paymentOf(state, offer, token), servedMs, lastReceiptHash };
}

function paymentOf({ id, asset, ratePerSecond, start, end }: StreamState, offer: Offer, token: string): StreamPayment {
  const { id: providerId, model, endpoint, owner, signer } = offer;
  const deposit = String(ratePerSecond * BigInt(end - start));
  const signers = signer ? [owner, signer] : [owner];
  const of = { providerId, model, endpoint, signers, asset };
  return { kind: "stream", id: String(id), ...of, ratePerSecond: String(ratePerSecond), deposit, start, end, token };
}

async function askSettlement(chain: Chain, payment: StreamPayment): Promise<Settlement> {
  const { settlement } = await apiOf(chain, payment).settle(payment.token);
  const { streamId, owed, signature } = settlement;
  if (String(streamId) !== payment.id) throw new AppError("PROVIDER_DISHONEST", "The settlement is about another stream.");
  for (const signer of await signersOf(chain, payment)) {
    const holds = await verifySettlementSignature(domainOf(chain), { streamId, owed }, signature, signer).then(
      () => true,
      () => false,
    );
    if (holds) return settlement;
  }
  throw new AppError("PROVIDER_DISHONEST", "The settlement's signature is not the provider's.");
}

/** Read again when somebody else signed: the hot key may have been changed meanwhile. */
async function signersOf(chain: Chain, payment: Payment, claimed?: Address): Promise<readonly Address[]> {
  if (claimed === undefined || payment.signers.some((known) => isAddressEqual(known, claimed))) return payment.signers;
  const { owner, signer } = await readOffer(chain, payment.providerId);
  return signer ? [owner, signer] : [owner];
}
