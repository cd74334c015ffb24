// Clocks that are wrong by ten minutes, on either side or against the chain: what an answer paid by channel then costs.
import { costDown } from "@clawcompute/lib/money";
import { type Clock, steadyClock } from "@clawcompute/lib/node";
import { decodeSignedReceipt } from "@clawcompute/lib/protocol";
import { openStore, type Store } from "@clawcompute/lib/store";
import { devAccounts, jointLoss, type LocalChain, recordJointFault, startLocalChain } from "@clawcompute/lib/testing";
import { isAddressEqual, type LocalAccount } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findChannels, readChannelLedger } from "../../agents/gateway/channels/ownChannels.ts";
import { noLedger, type RequestResult } from "../../agents/gateway/ledger/ledger.ts";
import { startGateway, type TestGateway } from "../../agents/gateway/testing/startGateway.ts";
import { createEchoBackend } from "../../agents/provider/backends/echo.ts";
import { startProvider, type TestProvider } from "../../agents/provider/testing/startProvider.ts";

/** So that a closing is worth its gas to the provider also after a second of work. */
const RATE = 10n ** 15n;
const STEP = RATE;
const SKEWS = [-10, 0, 10];
const wrongBy = (minutes: number): Clock => ({ ...steadyClock, now: () => steadyClock.now() + minutes * 60_000 });
const [owners, payers] = [devAccounts.slice(1, 4), devAccounts.slice(5, 8)] as [LocalAccount[], LocalAccount[]];
let local: LocalChain;
let store: Store;
let providers: TestProvider[];
let gateways: TestGateway[];
/** What each gateway keeps of its requests. */
const results: RequestResult[][] = SKEWS.map(() => []);

beforeAll(async () => {
  [local, store] = await Promise.all([startLocalChain({ blockTimeMs: 500 }), openStore({})]);
  const backend = createEchoBackend({ kind: "echo", tokenDelayMs: 30 });
  providers = await Promise.all(
    SKEWS.map((minutes, index) =>
      startProvider({
        local,
        store,
        owner: owners[index] as LocalAccount,
        offers: [{ model: `m${index}`, backend }],
        price: RATE,
        clock: wrongBy(minutes),
      }),
    ),
  );
  gateways = await Promise.all(
    SKEWS.map((minutes, index) =>
      startGateway(local, payers[index] as LocalAccount, {
        clock: wrongBy(minutes),
        spendLimits: { perRequest: 10n ** 18n },
        ledger: { ...noLedger, finish: (_, result) => void results[index]?.push(result) },
      }),
    ),
  );
  await Promise.all(gateways.map(({ gateway }) => gateway.recovered));
});
afterAll(async () => {
  await Promise.all(gateways?.map((gateway) => gateway.stop()) ?? []);
  await Promise.all(providers?.map((provider) => provider.stop()) ?? []);
  await store?.close();
  await local?.stop();
});

const clock = (whose: string, minutes: number) => `${whose} clock ${Math.abs(minutes)} min ${minutes > 0 ? "ahead" : "behind"}`;
function describeSkew(provider: number, payer: number): string {
  if (provider === payer) return clock("the chain's", -provider);
  const wrong = [...(provider === 0 ? [] : [clock("the provider's", provider)]), ...(payer === 0 ? [] : [clock("the payer's", payer)])];
  return wrong.join(", ");
}

test("behavior: whoever's clock is wrong, an answer by channel is served, and paid to the millisecond of the meter (P4, P5, P6)", async () => {
  await Promise.all(
    gateways.map(async ({ url, gateway, chain }, payer) => {
      const stopwatches = await Promise.all(
        providers.map(async (_, provider) => {
          const askedAt = performance.now();
          const response = await fetch(`${url}/v1/chat/completions`, {
            method: "POST",
            body: JSON.stringify({ model: `m${provider}`, messages: [{ role: "user", content: "word ".repeat(50) }], stream: true }),
          });
          expect(await response.text()).toContain("[DONE]");
          return performance.now() - askedAt;
        }),
      );
      await gateway.pool.endOpen();
      const receipts = results[payer]?.map(({ receipt }) => decodeSignedReceipt(receipt).receipt) ?? [];
      const channels = await findChannels(chain, (payers[payer] as LocalAccount).address, 0n);
      expect([receipts.length, channels.length]).toEqual([SKEWS.length, SKEWS.length]);
      for (const [provider, stopwatchMs] of stopwatches.entries()) {
        const channel = channels.find(({ payee }) => isAddressEqual(payee, (owners[provider] as LocalAccount).address));
        const receipt = receipts.find(({ payment }) => payment === channel?.id);
        if (!channel || !receipt) throw new Error("an answer without channel or receipt");
        expect(receipt).toMatchObject({ kind: "channel", reason: "stop" });
        const { closed, deposit, paid, refunded } = await readChannelLedger(chain, channel.id, channel.openBlock);
        const owed = receipt.cumulativeAmount;
        expect({ closed, paid, refunded }).toEqual({ closed: true, paid: owed, refunded: deposit - owed });
        const loss = jointLoss({ paid, servedByMeter: owed, servedByStopwatch: costDown(RATE, stopwatchMs) });
        expect(loss.providerWei).toBe(0n);
        expect(loss.payerWei).toBeLessThanOrEqual(STEP);
        if (provider === 1 && payer === 1) continue;
        const broken = describeSkew(SKEWS[provider] ?? 0, SKEWS[payer] ?? 0);
        recordJointFault({ broken, promise: "P4, P5, P6", ratePerSecond: RATE, boundMs: 1_000, ...loss });
      }
    }),
  );
});
