import { AppError } from "@clawcompute/lib/errors";
import { type SessionResponse, signSessionProof } from "@clawcompute/lib/protocol";
import { toHex } from "viem";
import type { Payer } from "./payment.ts";
import type { ProviderApi } from "./providerApi.ts";
import { refusalOf } from "./walletCall.ts";

const SESSION_WITHIN_MS = 15_000;
const SESSION_RETRY_MS = 300;
const LIFETIME_SECONDS = 60;

/** Asks again while the provider may not have seen the opening block; the signature is asked of the person once. */
export async function openSession(
  { chain, wallet }: Payer,
  streamId: bigint,
  nowSeconds: () => number,
  api: ProviderApi,
): Promise<SessionResponse> {
  const issuedAt = nowSeconds();
  const expiresAt = issuedAt + LIFETIME_SECONDS;
  const nonce = toHex(crypto.getRandomValues(new Uint8Array(32)));
  const { chainId, contracts } = chain.network;
  const { account } = wallet;
  try {
    const signer = { address: account.address, signTypedData: (data: object) => wallet.signTypedData({ account, ...data } as never) };
    const domain = { chainId, verifyingContract: contracts.streamPay };
    const message = { streamId, issuedAt: BigInt(issuedAt), expiresAt: BigInt(expiresAt), nonce };
    const signature = await signSessionProof(signer, domain, message);
    const deadline = performance.now() + SESSION_WITHIN_MS;
    for (;;) {
      try {
        return await api.createSession({ kind: "stream", chainId, signature, nonce, streamId: String(streamId), issuedAt, expiresAt });
      } catch (thrown) {
        const { code } = AppError.from(thrown);
        if (!["STREAM_UNKNOWN", "PROOF_NOT_YET_VALID"].includes(code) || performance.now() > deadline) throw thrown;
        await new Promise((resolve) => setTimeout(resolve, SESSION_RETRY_MS));
      }
    }
  } catch (thrown) {
    const error = refusalOf(thrown) ?? AppError.from(thrown);
    throw new AppError(error.code, `Stream ${streamId} is open, but there is no session: ${error.message}`, {
      facts: { ...error.facts, streamId: String(streamId) },
      hint: "Go on with it or end it under My streams; what was not served comes back.",
      cause: thrown,
    });
  }
}
