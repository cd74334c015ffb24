import type { Chain, Offer } from "@clawcompute/lib/chain";
import { formatAmount } from "@clawcompute/lib/money";
import { encodeSignedReceipt } from "@clawcompute/lib/protocol";
import { errorReport } from "../command.ts";
import { printable, printableName, table } from "../terminal.ts";
import type { AskResult } from "./ask.ts";
import type { Bill } from "./bill.ts";
import type { FoundStream } from "./orphans.ts";
import type { Quote } from "./quote.ts";

/** The one object of `claw ask --json`. Wei are decimal strings; what is not known is null. */
export function askReport({ network }: Chain, result: AskResult) {
  const { answer, stream, signed, servedMs, bill, quote, finishReason, truncated, failure, attempts } = result;
  const wei = (amount: bigint | undefined) => (amount === undefined ? null : String(amount));
  return {
    answer,
    model: stream?.offer.model ?? null,
    providerId: stream?.offer.id ?? null,
    streamId: stream ? String(stream.id) : null,
    servedMs: servedMs ?? null,
    ratePerSecondWei: wei(stream?.ratePerSecond),
    depositWei: wei(bill?.depositWei),
    paidWei: wei(bill?.paidWei),
    refundedWei: wei(bill?.refundedWei),
    beyondServedWei: wei(result.beyondServedWei),
    worstCaseLossWei: wei(quote?.worstCaseLossWei),
    gasUsed: Number(bill?.gasUsed ?? 0n),
    gasFeeWei: wei(bill?.feeWei),
    finishReason: finishReason ?? null,
    truncated,
    transactions: (bill?.transactions ?? []).map(({ kind, streamId, hash, gasUsed, feeWei, explorerUrl }) => ({
      kind,
      streamId: String(streamId),
      hash,
      gasUsed: Number(gasUsed),
      feeWei: String(feeWei),
      explorerUrl: explorerUrl ?? null,
    })),
    receipt: signed ? encodeSignedReceipt(signed) : null,
    attempts,
    network: network.name,
    chainId: network.chainId,
    ...(failure ? { error: errorReport(failure) } : {}),
  };
}

const coins = ({ network }: Chain, wei: bigint) => `${formatAmount(wei)} ${network.nativeSymbol}`;

export function quoteText(chain: Chain, { offer, seconds, depositWei, worstCaseLossWei }: Quote): string {
  return [
    `${printableName(offer.model)} by provider ${offer.id}: ${coins(chain, offer.pricePerSecond)} a second`,
    `deposit ${coins(chain, depositWei)} for ${seconds} s; what is not used comes back`,
    `at worst, if it never answers, you lose ${coins(chain, worstCaseLossWei)} and gas\n`,
  ].join("\n");
}

export function billText(chain: Chain, { servedMs, bill, stream, beyondServedWei }: AskResult): string {
  if (!bill || !stream) return "";
  const served =
    servedMs === undefined
      ? "the provider signed nothing; paid by the chain's clock"
      : `${(servedMs / 1000).toFixed(3)} s at ${coins(chain, stream.ratePerSecond)} a second`;
  const rows = [
    ["provider", `${stream.offer.id} (${printableName(stream.offer.model)}), stream ${stream.id}`],
    ["served", served],
    ["paid", coins(chain, bill.paidWei)],
    ...(beyondServedWei > 0n
      ? [
          [
            "of it",
            `${coins(chain, beyondServedWei)} beyond the served time: somebody settled by the chain's clock before the settlement came`,
          ],
        ]
      : []),
    ["refunded", `${coins(chain, bill.refundedWei)} of ${coins(chain, bill.depositWei)}`],
    ...transactionRows(chain, bill),
  ];
  return `\n${rows.map(([name = "", value = ""]) => `${name.padEnd(9)} ${value}\n`).join("")}`;
}

function transactionRows(chain: Chain, { gasUsed, feeWei, transactions }: Bill): string[][] {
  return [
    ["gas", `${coins(chain, feeWei)} (${gasUsed} units)`],
    ...transactions.map(({ kind, hash, explorerUrl }) => [kind, explorerUrl ?? hash]),
  ];
}

export const offerReport = (offer: Offer) => ({
  id: offer.id,
  model: offer.model,
  serviceType: offer.serviceType,
  asset: offer.asset,
  pricePerSecondWei: String(offer.pricePerSecond),
  endpoint: offer.endpoint,
  owner: offer.owner,
  signer: offer.signer ?? null,
  completions: String(offer.completions),
  earnedWei: String(offer.earned),
  registeredAt: offer.registeredAt,
});

export function offersText(chain: Chain, offers: readonly Offer[]): string {
  if (offers.length === 0) return "No active providers. Start one with `npm run provider`.\n";
  return table(
    ["ID", "MODEL", "PRICE/S", "PAID JOBS", "EARNED", "ENDPOINT"],
    offers.map(({ id, model, pricePerSecond, completions, earned, endpoint }) =>
      [String(id), model, coins(chain, pricePerSecond), String(completions), coins(chain, earned), endpoint].map(printable),
    ),
  );
}

export const streamReport = (stream: FoundStream) => ({
  streamId: String(stream.id),
  providerId: stream.providerId,
  payee: stream.payee,
  asset: stream.asset,
  status: stream.status,
  ratePerSecondWei: String(stream.ratePerSecond),
  depositWei: String(stream.ratePerSecond * BigInt(stream.end - stream.start)),
  start: stream.start,
  end: stream.end,
});

export function streamsText(chain: Chain, streams: readonly FoundStream[]): string {
  if (streams.length === 0) return "No open streams.\n";
  return table(
    ["STREAM", "PROVIDER", "RATE/S", "DEPOSIT", "STATUS", "ENDS"],
    streams.map(({ id, providerId, ratePerSecond, start, end, status }) => [
      String(id),
      providerId === 0 ? "-" : String(providerId),
      coins(chain, ratePerSecond),
      coins(chain, ratePerSecond * BigInt(end - start)),
      status,
      new Date(end * 1000).toISOString(),
    ]),
  );
}
