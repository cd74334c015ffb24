import { type Chain, chainTimeMs, type Offer, readOffer, type StreamState, streamEventsOf, streamPayWrites } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { costDown } from "@clawcompute/lib/money";
import {
  checkReceipt,
  type Domain,
  decodeSignedReceipt,
  type Settlement,
  type SignedReceipt,
  signSessionProof,
  verifyReceiptSignature,
  verifySettlementSignature,
} from "@clawcompute/lib/protocol";
import { type Address, type Hash, isAddressEqual, type TransactionReceipt, toHex } from "viem";
import { type ProviderApi, providerApi } from "./providerApi.ts";
import type { Answer } from "./readAnswer.ts";
import { refusalOf, sendByWallet, type Wallet } from "./walletCall.ts";

/** How much longer than measured here a provider may claim for one answer: its clock starts and stops elsewhere. */
export const TOLERANCE_MS = 250;
const SESSION_WITHIN_MS = 15_000;
const SESSION_RETRY_MS = 300;

/** A stream that pays for a conversation; JSON-safe, so that it survives a reload. Times are unix seconds of the chain. */
export interface ChatStream {
  readonly id: string;
  readonly providerId: number;
  readonly model: string;
  readonly endpoint: string;
  readonly signers: readonly Address[];
  /** Decimal raw units. */
  readonly ratePerSecond: string;
  readonly start: number;
  readonly end: number;
  readonly token: string;
}

export interface Ending {
  readonly kind: "settled" | "cancelled" | "gone";
  readonly paid: bigint;
  readonly refunded: bigint;
  readonly hash: Hash | undefined;
  /** The provider signed for more time than was measured here. Its claim was taken only because the clock's would have been higher still. */
  readonly overclaimed: boolean;
}

export const depositOf = ({ ratePerSecond, start, end }: ChatStream): bigint => BigInt(ratePerSecond) * BigInt(end - start);
export const domainOf = ({ network }: Chain): Domain => ({ chainId: network.chainId, verifyingContract: network.contracts.streamPay });

/** One transaction, then one signature. When the session fails the stream is still open: the error's fact `streamId` names it. */
export async function openChatStream(
  chain: Chain,
  wallet: Wallet,
  offer: Offer,
  seconds: number,
  api: ProviderApi,
  on: { opened(): void },
): Promise<ChatStream> {
  const { id: providerId, owner, signer, serviceType, pricePerSecond, model, endpoint } = offer;
  const value = pricePerSecond * BigInt(seconds);
  const call = streamPayWrites.createStream({ recipient: owner, durationSeconds: seconds, serviceType, providerId, value });
  const receipt = await sendByWallet(chain, wallet, call);
  const opened = streamEventsOf(receipt, chain).find((event) => event.eventName === "StreamCreated");
  if (opened?.eventName !== "StreamCreated") throw new AppError("INTERNAL", "The transaction opened no stream.");
  on.opened();
  const { id, ratePerSecond, start, end } = opened.args;
  const stream = {
    id: String(id),
    providerId,
    model,
    endpoint,
    signers: signer ? [owner, signer] : [owner],
    ratePerSecond: String(ratePerSecond),
    start: Number(start),
    end: Number(end),
  };
  const openedAt = performance.now();
  const nowSeconds = () => stream.start + Math.floor((performance.now() - openedAt) / 1000);
  return { ...stream, token: await openSession(chain, wallet, id, nowSeconds, api) };
}

/** Asks again while the provider may not have seen the opening block; the signature is asked of the person once. */
async function openSession(chain: Chain, wallet: Wallet, streamId: bigint, nowSeconds: () => number, api: ProviderApi): Promise<string> {
  const issuedAt = nowSeconds();
  const message = {
    streamId,
    issuedAt: BigInt(issuedAt),
    expiresAt: BigInt(issuedAt + 60),
    nonce: toHex(crypto.getRandomValues(new Uint8Array(32))),
  };
  const { account } = wallet;
  try {
    const signer = { address: account.address, signTypedData: (data: object) => wallet.signTypedData({ account, ...data } as never) };
    const signature = await signSessionProof(signer, domainOf(chain), message);
    const proof = { kind: "stream", chainId: chain.network.chainId, signature, nonce: message.nonce } as const;
    const deadline = performance.now() + SESSION_WITHIN_MS;
    for (;;) {
      try {
        return (await api.createSession({ ...proof, streamId: String(streamId), issuedAt, expiresAt: issuedAt + 60 })).token;
      } catch (thrown) {
        const { code } = AppError.from(thrown);
        if (!["STREAM_UNKNOWN", "PROOF_NOT_YET_VALID"].includes(code) || performance.now() > deadline) throw thrown;
        await new Promise((resolve) => setTimeout(resolve, SESSION_RETRY_MS));
      }
    }
  } catch (thrown) {
    const error = refusalOf(thrown) ?? AppError.from(thrown);
    throw new AppError(error.code, `Stream ${streamId} is open, but the provider gave no session: ${error.message}`, {
      facts: { ...error.facts, streamId: String(streamId) },
      hint: "End it under My streams; what was not served comes back.",
      cause: thrown,
    });
  }
}

/** The receipt after every check of rule R10. Throws PROVIDER_DISHONEST naming the first lie. */
export async function verifyAnswer(
  chain: Chain,
  stream: ChatStream,
  { signed, bodyHash }: Pick<Answer, "signed" | "bodyHash">,
  own: { readonly measuredMs: number; readonly previousServedMs: number; readonly previousReceiptHash: Hash },
): Promise<SignedReceipt> {
  const decoded = decodeSignedReceipt(signed);
  const { ratePerSecond, providerId, id } = stream;
  const signers = await signersOf(chain, stream, decoded.signer);
  checkReceipt(decoded, {
    ...own,
    bodyHash,
    streamId: BigInt(id),
    providerId,
    ratePerSecond: BigInt(ratePerSecond),
    signers,
    toleranceMs: TOLERANCE_MS,
  });
  await verifyReceiptSignature(domainOf(chain), decoded.receipt, decoded.signature, decoded.signer);
  return decoded;
}

const RECEIPT_WITHIN_MS = 3000;

/**
 * The receipt of an answer that broke off, so that the next one can be checked against it. What was delivered last may not have
 * arrived here, so the body is not compared; everything else is. Undefined when there is none to be had.
 */
export async function receiptAfterCut(
  chain: Chain,
  stream: ChatStream,
  api: ProviderApi,
  requestId: string,
  own: { readonly measuredMs: number; readonly previousServedMs: number; readonly previousReceiptHash: Hash },
): Promise<SignedReceipt | undefined> {
  const deadline = performance.now() + RECEIPT_WITHIN_MS;
  for (;;) {
    try {
      const signed = await api.receipt(stream.token, requestId);
      const { bodyHash } = decodeSignedReceipt(signed).receipt;
      return await verifyAnswer(chain, stream, { signed, bodyHash }, own);
    } catch (thrown) {
      if (AppError.from(thrown).code !== "NOT_FOUND" || performance.now() > deadline) return undefined;
      await new Promise((resolve) => setTimeout(resolve, SESSION_RETRY_MS));
    }
  }
}

/** `mostMs` is what was measured here; without a measure, the largest safe integer. Pays what the provider signs as owed; without its signature, or when the chain refuses it, what the chain's clock says. */
export async function endChatStream(chain: Chain, wallet: Wallet, stream: ChatStream, api: ProviderApi, mostMs: number): Promise<Ending> {
  const settlement = await askSettlement(chain, stream, api).catch(() => undefined);
  if (settlement) {
    try {
      const { owed, signature } = settlement;
      // The contract never lets a settlement take more than the clock says, so even a bold one costs no more than cancelling.
      const receipt = await sendByWallet(chain, wallet, streamPayWrites.settleStream({ id: BigInt(stream.id), owed, signature }));
      return {
        ...endingIn(receipt, chain),
        overclaimed: mostMs < Number.MAX_SAFE_INTEGER && owed > costDown(BigInt(stream.ratePerSecond), mostMs),
      };
    } catch (thrown) {
      const { code } = AppError.from(thrown);
      if (!code.startsWith("STREAM_PAY_") || code === "STREAM_PAY_UNKNOWN_STREAM") throw thrown;
    }
  }
  return cancelByWallet(chain, wallet, BigInt(stream.id));
}

export const cancelByWallet = async (chain: Chain, wallet: Wallet, id: bigint): Promise<Ending> =>
  endingIn(await sendByWallet(chain, wallet, streamPayWrites.cancelStream(id)), chain);

/**
 * Ends a stream that this page may know only from the chain: asks its provider what is owed, which takes a signature where no token is
 * kept, and cancels where the provider does not say.
 */
export async function endFoundStream(chain: Chain, wallet: Wallet, found: StreamState, keptToken: string | undefined): Promise<Ending> {
  const { id, providerId, ratePerSecond, start, end } = found;
  if (providerId === 0 || found.status !== "active") return cancelByWallet(chain, wallet, id);
  const { owner, signer, model, endpoint } = await readOffer(chain, providerId);
  const nowSeconds = Math.floor((await chainTimeMs(chain)) / 1000);
  let api: ProviderApi;
  let token: string;
  try {
    api = providerApi(endpoint, chain.network.isLocal);
    token = keptToken ?? (await openSession(chain, wallet, id, () => nowSeconds, api));
  } catch (thrown) {
    const error = AppError.from(thrown);
    if (error.code === "ABORTED") throw error;
    return cancelByWallet(chain, wallet, id);
  }
  const signers = signer ? [owner, signer] : [owner];
  const stream = { id: String(id), providerId, model, endpoint, signers, ratePerSecond: String(ratePerSecond), start, end, token };
  return endChatStream(chain, wallet, stream, api, Number.MAX_SAFE_INTEGER);
}

async function askSettlement(chain: Chain, stream: ChatStream, api: ProviderApi): Promise<Settlement> {
  const { settlement } = await api.settle(stream.token);
  const { streamId, owed, signature } = settlement;
  if (String(streamId) !== stream.id) throw new AppError("PROVIDER_DISHONEST", "The settlement is about another stream.");
  for (const signer of await signersOf(chain, stream)) {
    const holds = await verifySettlementSignature(domainOf(chain), { streamId, owed }, signature, signer).then(
      () => true,
      () => false,
    );
    if (holds) return settlement;
  }
  throw new AppError("PROVIDER_DISHONEST", "The settlement's signature is not the provider's.");
}

/** Read again when somebody else signed: the hot key may have been changed meanwhile. */
async function signersOf(chain: Chain, stream: ChatStream, claimed?: Address): Promise<readonly Address[]> {
  if (claimed === undefined || stream.signers.some((known) => isAddressEqual(known, claimed))) return stream.signers;
  const { owner, signer } = await readOffer(chain, stream.providerId);
  return signer ? [owner, signer] : [owner];
}

function endingIn(receipt: TransactionReceipt, chain: Chain): Ending {
  const common = { hash: receipt.transactionHash, overclaimed: false };
  for (const { eventName, args } of streamEventsOf(receipt, chain)) {
    if (eventName === "StreamSettled") return { kind: "settled", paid: args.paid, refunded: args.refunded, ...common };
    if (eventName === "StreamCancelled") return { kind: "cancelled", paid: args.paid, refunded: args.refunded, ...common };
  }
  return { kind: "gone", paid: 0n, refunded: 0n, ...common };
}
