// npm run payment-vectors: writes the worked example of docs/payments.md anew, and the same values as JSON beside it.
import { readFileSync, writeFileSync } from "node:fs";
import { networkOf } from "@clawcompute/lib/config/network";
import { costDown } from "@clawcompute/lib/money";
import {
  type Challenge,
  channelIdOf,
  didOf,
  encodeCredential,
  encodePaymentEvent,
  encodePaymentReceipt,
  encodeRequest,
  formatChallenge,
  hashVoucher,
  signVoucher,
} from "@clawcompute/lib/protocol/payments";
import { devAccounts } from "@clawcompute/lib/testing";
import { encodeFunctionData, type Hex, keccak256, type LocalAccount, parseAbi, stringToHex, zeroAddress } from "viem";
import { privateKeyToAccount } from "viem/accounts";

export const document = new URL("../docs/payments.md", import.meta.url);
export const vectorsFile = new URL("../docs/payments.vectors.json", import.meta.url);
const BEGIN = "<!-- worked example: npm run payment-vectors -->";
const END = "<!-- end of the worked example -->";

/** 4.2 s served at 1000 raw units a second, over a channel that fits 60 s. Every key is one that local chains publish. */
export async function makeVectors() {
  const [, payee, , , , payer] = devAccounts as readonly LocalAccount[];
  if (!payer || !payee) throw new Error("two accounts are needed");
  const { chainId, contracts } = networkOf({ name: "local" });
  const domain = { chainId, verifyingContract: contracts.paymentChannel };
  const rate = 1000n;
  const deposit = rate * 60n;
  const voucherPrivateKey = keccak256(stringToHex("a voucher key of the documentation"));
  const voucherKey = privateKeyToAccount(voucherPrivateKey);
  const terms = {
    payer: payer.address,
    payee: payee.address,
    token: zeroAddress,
    salt: keccak256(stringToHex("a salt of the documentation")),
    authorizedSigner: voucherKey.address,
  };
  const channelId = channelIdOf(domain, terms);
  const request = {
    amount: String(rate),
    currency: zeroAddress,
    description: "qwen3:0.6b",
    externalId: "1",
    methodDetails: {
      chainId,
      credentialTypes: ["hash"],
      escrowContract: contracts.paymentChannel,
      feePayer: false,
      voucherStep: String(rate),
    },
    recipient: payee.address,
    suggestedDeposit: String(deposit),
    unitType: "second",
  };
  const challenge: Challenge = {
    id: "kTr6cQXKkJ0B0mC1cYbT3b8r8y3bq6nWZx0dGfU1r9o",
    realm: "provider.example",
    method: "evm",
    intent: "session",
    request: encodeRequest(request),
    expires: "2027-01-01T00:05:00Z",
    header: "Payment-Authorization",
  };
  const source = didOf(chainId, payer.address);
  const sign = (cumulativeAmount: bigint): Promise<Hex> => signVoucher(voucherKey, domain, { channelId, cumulativeAmount });
  const credential = (payload: object) => encodeCredential({ challenge, payload, source });
  const voucher = async (action: "voucher" | "close", cumulativeAmount: bigint) =>
    credential({ action, channelId, cumulativeAmount, signature: await sign(cumulativeAmount) });
  const first = rate;
  const spent = costDown(rate, 4_200);
  const openPayload = {
    action: "open",
    type: "hash",
    channelId,
    hash: keccak256(stringToHex("an opening transaction of the documentation")),
    salt: terms.salt,
    authorizedSigner: terms.authorizedSigner,
    cumulativeAmount: first,
    signature: await sign(first),
  };
  const receipt = {
    method: "evm" as const,
    intent: "session" as const,
    status: "success" as const,
    timestamp: "2027-01-01T00:00:04.200Z",
    reference: channelId,
    challengeId: challenge.id,
    channelId,
    chainId,
    acceptedCumulative: 5_000n,
    spent,
    units: 4_200,
    reason: "stop",
  };
  return {
    chainId: String(chainId),
    escrow: contracts.paymentChannel,
    payer: payer.address,
    payee: payee.address,
    voucherPrivateKey,
    voucherKey: voucherKey.address,
    salt: terms.salt,
    ratePerSecond: String(rate),
    deposit: String(deposit),
    requestJson: JSON.stringify(request),
    request: challenge.request,
    wwwAuthenticate: formatChallenge(challenge),
    channelId,
    openCalldata: encodeFunctionData({
      abi: parseAbi(["function open(address,address,uint128,bytes32,address) payable returns (bytes32)"]),
      args: [payee.address, zeroAddress, deposit, terms.salt, voucherKey.address],
    }),
    voucher1000Digest: hashVoucher(domain, { channelId, cumulativeAmount: first }),
    voucher1000Signature: await sign(first),
    openPayloadJson: JSON.stringify(openPayload, (_, value) => (typeof value === "bigint" ? String(value) : value)),
    openAuthorization: credential(openPayload),
    needVoucherEvent: `event: payment-need-voucher\ndata: ${encodePaymentEvent({ channelId, requiredCumulative: 1_500n, acceptedCumulative: first, deposit })}`,
    voucher1500Signature: await sign(1_500n),
    voucher1500Authorization: await voucher("voucher", 1_500n),
    spent: String(spent),
    paymentReceipt: encodePaymentReceipt(receipt),
    receiptEvent: `event: payment-receipt\ndata: ${encodePaymentEvent(receipt)}`,
    closeSignature: await sign(spent),
    closeAuthorization: await voucher("close", spent),
  };
}

export type Vectors = Awaited<ReturnType<typeof makeVectors>>;

/** The worked example as the document shows it. */
export function workedExample(v: Vectors): string {
  const block = (text: string, language = "") => `\`\`\`${language}\n${text}\n\`\`\``;
  return [
    BEGIN,
    `A provider on chain ${v.chainId} asks ${v.ratePerSecond} raw units a second; PaymentChannel is at \`${v.escrow}\`. Payer \`${v.payer}\`, payee \`${v.payee}\`, voucher key \`${v.voucherKey}\` (private \`${v.voucherPrivateKey}\`). The answer takes 4.2 s.`,
    "**1. The price.** `GET /v1/chat/completions` → 402 with",
    block(`WWW-Authenticate: ${v.wwwAuthenticate}`),
    "whose `request` is base64url of this canonical JSON (keys sorted, no spaces, no padding):",
    block(v.requestJson, "json"),
    `**2. The deposit.** With salt \`${v.salt}\` the payer sends ${v.deposit} raw units to the contract with this calldata:`,
    block(v.openCalldata),
    "The channel's id, which the contract also returns and logs, is",
    block(v.channelId),
    `**3. The first request.** A voucher for ${v.ratePerSecond}, one second ahead: EIP-712 digest and the voucher key's signature (r, s, v).`,
    block(`${v.voucher1000Digest}\n${v.voucher1000Signature}`),
    "The payload that shows the channel and carries that voucher:",
    block(v.openPayloadJson, "json"),
    "With challenge and source around it, base64url, it pays for a request that has a body:",
    block(
      `POST /v1/chat/completions\nPayment-Authorization: ${v.openAuthorization}\nContent-Type: application/json\n\n{"model":"qwen3:0.6b","messages":[{"role":"user","content":"hi"}],"stream":true}`,
    ),
    "**4. While it streams.** Half a second in, the provider reminds whoever has not sent more yet:",
    block(v.needVoucherEvent),
    "The payer's own stopwatch says 0.5 s, so 1500 (0.5 s and one step) is within its measure. It signs and posts, without a body, to the same path; the answer is 204:",
    block(`POST /v1/chat/completions\nPayment-Authorization: ${v.voucher1500Authorization}\nContent-Length: 0`),
    "**5. The end.** Before `[DONE]`:",
    block(v.receiptEvent),
    "The same as the value of a `Payment-Receipt` header:",
    block(v.paymentReceipt),
    `**6. Closing.** 4.2 s cost ${v.spent}: a voucher of exactly that, although 5000 were signed before; the provider closes on chain, ${BigInt(v.deposit) - BigInt(v.spent)} come back in the same transaction, and the answer is 204.`,
    block(`POST /v1/chat/completions\nPayment-Authorization: ${v.closeAuthorization}\nContent-Length: 0`),
    END,
  ].join("\n\n");
}

/** The document with the example that the code makes. */
export function withExample(text: string, example: string): string {
  const [before = "", rest = ""] = text.split(BEGIN);
  const [, after = ""] = rest.split(END);
  return `${before}${example}${after}`;
}

if (import.meta.main) {
  const vectors = await makeVectors();
  writeFileSync(vectorsFile, `${JSON.stringify(vectors, null, 2)}\n`);
  writeFileSync(document, withExample(readFileSync(document, "utf8"), workedExample(vectors)));
  console.log("wrote docs/payments.md and docs/payments.vectors.json");
}
