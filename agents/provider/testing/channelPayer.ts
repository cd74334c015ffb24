import { randomBytes } from "node:crypto";
import { type Chain, channelWrites, connectChain, createSender, readChannel } from "@clawcompute/lib/chain";
import {
  type Challenge,
  type ChannelReceipt,
  channelIdOf,
  decodePaymentReceipt,
  didOf,
  encodeCredential,
  findSessionChallenge,
  readSessionTerms,
  signVoucher,
} from "@clawcompute/lib/protocol/payments";
// biome-ignore lint/style/noRestrictedImports: test equipment
import { createRecordingLogger, type LocalChain } from "@clawcompute/lib/testing";
import { type Address, type Hex, type LocalAccount, toHex } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";

/** A payer by channel who talks plain HTTP: it signs what it is told to, so that tests can misuse it. */
export function createChannelPayer(local: LocalChain, account: LocalAccount, chain: Chain = connectChain(local.network)) {
  const sender = createSender({ chain, account, logger: createRecordingLogger() });
  const domain = { chainId: local.network.chainId, verifyingContract: local.network.contracts.paymentChannel };
  const send = async (call: Parameters<typeof sender.send>[0]) => sender.send(call, { onSent: () => void local.mine() });

  async function challengeOf(url: string, providerId?: number): Promise<Challenge> {
    const response = await fetch(`${url}/v1/chat/completions`);
    const challenge = findSessionChallenge(response.headers.get("www-authenticate"), providerId);
    if (response.status !== 402 || !challenge) throw new Error(`no challenge: ${response.status} ${await response.text()}`);
    return challenge;
  }

  return {
    account,
    chain,
    domain,
    send,
    challengeOf,
    /** Opened by the payer's own transaction, shown with `initial` (default nothing). */
    open: async (url: string, options: { deposit: bigint; payee?: Address; providerId?: number; signer?: LocalAccount }) => {
      const challenge = await challengeOf(url, options.providerId);
      const { currency: token, recipient } = readSessionTerms(challenge);
      const key = options.signer ?? privateKeyToAccount(generatePrivateKey());
      const terms = {
        payer: account.address,
        payee: options.payee ?? recipient,
        token,
        salt: toHex(randomBytes(32)),
        authorizedSigner: key.address,
      };
      const { hash } = await send(channelWrites.open({ ...terms, deposit: options.deposit }));
      const channelId = channelIdOf(domain, terms);
      const sign = (cumulativeAmount: bigint, changes: { by?: LocalAccount; domain?: typeof domain; id?: Hex } = {}) =>
        signVoucher(changes.by ?? key, changes.domain ?? domain, { channelId: changes.id ?? channelId, cumulativeAmount });
      const source = didOf(domain.chainId, account.address);
      const credential = (payload: object) => encodeCredential({ challenge, source, payload });
      const manage = async (payload: object, method: "POST" | "HEAD" | "GET" = "POST") =>
        fetch(`${url}/v1/chat/completions`, { method, headers: { "payment-authorization": credential(payload) } });
      const opening = async (cumulativeAmount: bigint) => ({
        action: "open",
        type: "hash",
        channelId,
        hash,
        salt: terms.salt,
        authorizedSigner: key.address,
        cumulativeAmount,
        signature: await sign(cumulativeAmount),
      });
      const voucher = async (cumulativeAmount: bigint, changes: Parameters<typeof sign>[1] = {}) => ({
        action: "voucher",
        channelId,
        cumulativeAmount,
        signature: await sign(cumulativeAmount, changes),
      });
      return {
        channelId,
        terms,
        key,
        challenge,
        sign,
        credential,
        manage,
        opening,
        voucher,
        state: () => readChannel(chain, channelId),
        pay: async (cumulativeAmount: bigint) => manage(await voucher(cumulativeAmount)),
        close: async (cumulativeAmount: bigint) => manage({ ...(await voucher(cumulativeAmount)), action: "close" }),
        chat: (payload: object, body: Record<string, unknown> = {}, signal?: AbortSignal, more: Record<string, string> = {}) =>
          fetch(`${url}/v1/chat/completions`, {
            method: "POST",
            headers: { "content-type": "application/json", "payment-authorization": credential(payload), ...more },
            body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }], ...body }),
            ...(signal ? { signal } : {}),
          }),
      };
    },
  };
}

export function receiptIn(response: Response): ChannelReceipt {
  return decodePaymentReceipt(response.headers.get("payment-receipt") ?? "");
}
