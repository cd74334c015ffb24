import { decodeSignedReceipt } from "@clawcompute/lib/protocol";
import { decodePaymentRequired } from "@clawcompute/lib/protocol/payments";
import { devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import { wrapFetchWithPaymentFromConfig } from "@x402/fetch";
import { type LocalAccount, zeroAddress } from "viem";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createEchoBackend } from "../backends/echo.ts";
import { createPayer, type Payer, readAnswer } from "../testing/payer.ts";
import { PRICE, startProvider, type TestProvider } from "../testing/startProvider.ts";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 60_000 });

const [owner, consumer, other] = [devAccounts[1], devAccounts[5], devAccounts[3]] as unknown as [LocalAccount, LocalAccount, LocalAccount];
const network = "eip155:31337";
let local: LocalChain;
let provider: TestProvider;
let payer: Payer;

beforeAll(async () => {
  local = await startLocalChain({ blockTimeMs: 100 });
  provider = await startProvider({ local, owner, offers: [{ model: "m", backend: createEchoBackend({ kind: "echo", tokenDelayMs: 5 }) }] });
  payer = createPayer(local, consumer);
});
afterAll(async () => {
  await provider?.stop();
  await local?.stop();
});

const chat = () => `${provider.url}/v1/chat/completions`;
const ask = (headers: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: "one two three" }] }),
});
const terms = async () => decodePaymentRequired((await fetch(chat())).headers.get("payment-required") ?? "").accepts[0];
const sealed = async (proof: object) =>
  Buffer.from(JSON.stringify({ x402Version: 2, accepted: await terms(), payload: proof })).toString("base64");

describe("the x402 scheme `stream`", () => {
  test("behavior: a stock x402 client that was taught the scheme pays with the stream that it opens, once for many answers", async () => {
    const streams: bigint[] = [];
    const client = {
      scheme: "stream",
      createPaymentPayload: async (x402Version: number, { payTo, extra, amount }: Terms) => {
        const id = await payer.openStream({
          recipient: payTo as `0x${string}`,
          providerId: Number(extra.providerId),
          rate: BigInt(amount),
        });
        streams.push(id);
        return { x402Version, payload: { ...(await payer.proofOf(id)) } };
      },
    };
    const pay = wrapFetchWithPaymentFromConfig(fetch, {
      schemes: [{ network, client }],
      spendControls: { allowedAssets: [{ network, asset: zeroAddress, maxAmountPerPayment: String(PRICE) }] },
    });
    const paid = await pay(chat(), ask());
    expect([paid.status, streams.length]).toEqual([200, 1]);
    const [streamId = 0n] = streams;
    const settlement = JSON.parse(Buffer.from(paid.headers.get("payment-response") ?? "", "base64").toString());
    expect(settlement).toMatchObject({ success: true, network, transaction: `stream:${streamId}` });
    const first = await readAnswer(paid);
    const token = paid.headers.get("clawcompute-balance-token") ?? "";
    const second = await readAnswer(await fetch(chat(), ask({ authorization: `Bearer ${token}` })));
    expect([first.done, second.done]).toEqual([true, true]);
    const [one, two] = [first, second].map(({ receipt }) => decodeSignedReceipt(receipt).receipt);
    expect([one?.kind, BigInt(one?.payment ?? 0)]).toEqual(["stream", streamId]);
    expect(two?.cumulativeAmount).toBeGreaterThan(one?.cumulativeAmount ?? 0n);
    // Ends as any stream does, for what was served.
    const { settlement: ended } = await (
      await payer.post(`${provider.url}/v1/sessions/settle`, {}, { authorization: `Bearer ${token}` })
    ).json();
    expect(BigInt(ended.owed)).toBe(two?.cumulativeAmount);
    await payer.settle({ streamId, owed: BigInt(ended.owed), signature: ended.signature });
  });

  test("error: a proof is taken once, from the payer of an open stream to this provider only", async () => {
    const recipient = owner.address;
    const streamId = await payer.openStream({ recipient, providerId: provider.providerId(), rate: PRICE });
    const proof = await payer.proofOf(streamId);
    const codeOf = async (given: object) => {
      const response = await fetch(chat(), ask({ "payment-signature": await sealed(given) }));
      const text = await response.text();
      return response.ok ? "served" : JSON.parse(text).error.code;
    };
    expect(await codeOf(await payer.proofOf(streamId, { signWith: other }))).toBe("bad_signature");
    expect(await codeOf({ ...proof, streamId: String(streamId + 1_000n) })).toBe("stream_unknown");
    expect(await codeOf({ streamId: "x" })).toBe("payment_refused");
    expect(await codeOf(proof)).toBe("served");
    expect(await codeOf(proof)).toBe("proof_replayed");
    await payer.cancel(streamId);
    // The provider sees the block within a watch interval.
    await vi.waitFor(async () => expect(await codeOf(await payer.proofOf(streamId))).toBe("stream_ended"), 20_000);
  });
});

interface Terms {
  readonly payTo: string;
  readonly amount: string;
  readonly extra: Record<string, unknown>;
}
