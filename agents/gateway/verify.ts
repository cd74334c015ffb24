import { type Chain, contractSignatureOf, type Offer, readOffer } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { costDown } from "@clawcompute/lib/money";
import { recoverSigner } from "@clawcompute/lib/node";
import {
  checkReceipt,
  type Domain,
  decodeSignedReceipt,
  type Settlement,
  type SettleResponse,
  type SignedReceipt,
  verifyReceiptSignature,
  verifySettlementSignature,
} from "@clawcompute/lib/protocol";
import { type ChannelMeasure, checkChannelReceipt } from "@clawcompute/lib/protocol/payments";
import { type Address, type Hex, isAddressEqual } from "viem";
import type { OpenStream } from "./payment.ts";

/** How much longer than measured here a provider may claim: its clock starts and stops elsewhere. */
const TOLERANCE_MS = 250;

/** What the payer itself knows about the answer and the stream so far. */
export interface OwnMeasure {
  readonly bodyHash: Hex;
  readonly measuredMs: number;
  readonly previousServedMs: number;
  readonly previousReceiptHash: Hex;
}

export const domainOf = (chain: Chain): Domain => ({
  chainId: chain.network.chainId,
  verifyingContract: chain.network.contracts.streamPay,
});

/** Natively where that is installed; a provider whose owner or signer is a contract is asked (ERC-1271). */
const checksOf = (chain: Chain) => ({ recover: recoverSigner, contractSignature: contractSignatureOf(chain) });

/** The receipt after every check: shape, signature, stream, answer, time, sums. Throws PROVIDER_DISHONEST naming the first lie. */
export async function verifyReceipt(chain: Chain, stream: OpenStream, sent: unknown, own: OwnMeasure): Promise<SignedReceipt> {
  const signed = decodeSignedReceipt(sent);
  const { receipt, signature, signer, settlement } = signed;
  checkReceipt(signed, {
    ...own,
    streamId: stream.id,
    providerId: stream.offer.id,
    ratePerSecond: stream.ratePerSecond,
    signers: await signersOf(chain, stream.offer, signer),
    toleranceMs: TOLERANCE_MS,
  });
  await verifyReceiptSignature(domainOf(chain), receipt, signature, signer, checksOf(chain));
  if (settlement) await verifySettlement(chain, stream, settlement);
  return signed;
}

/** As `verifyReceipt`, for a channel. Throws PROVIDER_DISHONEST naming the first lie. */
export async function verifyChannelReceipt(
  chain: Chain,
  offer: Offer,
  sent: unknown,
  own: Omit<ChannelMeasure, "providerId" | "signers" | "toleranceMs">,
): Promise<SignedReceipt> {
  const signed = decodeSignedReceipt(sent);
  const { receipt, signature, signer } = signed;
  const signers = await signersOf(chain, offer, signer);
  checkChannelReceipt(signed, { ...own, providerId: offer.id, signers, toleranceMs: TOLERANCE_MS });
  await verifyReceiptSignature(domainOf(chain), receipt, signature, signer, checksOf(chain));
  return signed;
}

/** Owed may be no more than what was measured here. Throws PROVIDER_DISHONEST. */
export function checkClaim({ ratePerSecond }: OpenStream, { settlement: { owed }, servedMs }: SettleResponse, measuredMs: number): void {
  const most = measuredMs + TOLERANCE_MS;
  if (servedMs <= most && owed <= costDown(ratePerSecond, most)) return;
  throw new AppError("PROVIDER_DISHONEST", "The provider's settlement claims more time than was measured here.", {
    facts: { claimedMs: servedMs, measuredMs, owed: String(owed) },
  });
}

/** Only that the chain will accept it: about this stream, signed by the payee or the provider's signer. Throws PROVIDER_DISHONEST. */
export async function verifySettlement(chain: Chain, stream: OpenStream, { streamId, owed, signature }: Settlement): Promise<void> {
  if (streamId !== stream.id) throw new AppError("PROVIDER_DISHONEST", "The settlement is about another stream.");
  let refused: unknown;
  for (const signer of await signersOf(chain, stream.offer)) {
    try {
      return await verifySettlementSignature(domainOf(chain), { streamId, owed }, signature, signer, checksOf(chain));
    } catch (thrown) {
      refused = thrown;
    }
  }
  throw refused;
}

/** Owner and hot key of the offer; read again when somebody else signed, because the hot key may have been changed meanwhile. */
async function signersOf(chain: Chain, offer: Offer, claimed?: Address): Promise<Address[]> {
  const of = ({ owner, signer }: Offer) => (signer ? [owner, signer] : [owner]);
  const known = of(offer);
  if (claimed === undefined || known.some((address) => isAddressEqual(address, claimed))) return known;
  return of(await readOffer(chain, offer.id));
}
