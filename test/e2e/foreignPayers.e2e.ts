// A payer that nobody here wrote, against a whole provider on a real chain.
import { connectChain } from "@clawcompute/lib/chain";
import { devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import { Credential, Method } from "mppx";
import { Mppx } from "mppx/client";
import type { LocalAccount } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findChannels, readChannelLedger } from "../../agents/gateway/channels/ownChannels.ts";
import { createEchoBackend } from "../../agents/provider/backends/echo.ts";
import { createChannelPayer } from "../../agents/provider/testing/channelPayer.ts";
import { startProvider, type TestProvider } from "../../agents/provider/testing/startProvider.ts";
import { sessionMethod } from "../../benchmarks/payments/sessionMethod.ts";

const PRICE = 10n ** 15n;
const [owner, foreigner] = [devAccounts[1], devAccounts[6]] as readonly LocalAccount[] as [LocalAccount, LocalAccount];
let local: LocalChain;
let provider: TestProvider;

beforeAll(async () => {
  local = await startLocalChain();
  provider = await startProvider({
    local,
    owner,
    offers: [{ model: "m", backend: createEchoBackend({ kind: "echo", tokenDelayMs: 20 }) }],
    price: PRICE,
  });
});
afterAll(async () => {
  await provider?.stop();
  await local?.stop();
});

test("behavior: a stock mppx client, told of the method's types only, opens a channel, pays for answers and closes it", async () => {
  const channel = await createChannelPayer(local, foreigner).open(provider.url, { deposit: PRICE * 60n });
  const source = `did:pkh:eip155:31337:${foreigner.address}`;
  let shown = false;
  let signed = PRICE;
  const client = Method.toClient(sessionMethod, {
    async createCredential({ challenge }) {
      signed += PRICE / 2n;
      const payload = shown ? await channel.voucher(signed) : await channel.opening(signed);
      shown = true;
      const wire = JSON.parse(JSON.stringify(payload, (_, value) => (typeof value === "bigint" ? String(value) : value)));
      return Credential.serialize({ challenge, payload: wire, source } as never);
    },
  });
  const mppx = Mppx.create({ polyfill: false, methods: [client] });
  const body = JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: "one two three" }] });
  for (let asked = 0; asked < 3; asked += 1) {
    const response = await mppx.fetch(`${provider.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    expect(response.status).toBe(200);
    const text = await response.text();
    expect([text.includes("payment-receipt"), text.includes("[DONE]")]).toEqual([true, true]);
  }
  const taken = await channel.pay(signed);
  const { spent } = JSON.parse(Buffer.from(taken.headers.get("payment-receipt") ?? "", "base64url").toString());
  expect((await channel.close(BigInt(spent))).status).toBe(204);
  const [found] = await findChannels(connectChain(local.network), foreigner.address, 0n);
  if (!found) throw new Error("no channel");
  const { deposit, paid, refunded } = await readChannelLedger(connectChain(local.network), found.id, found.openBlock);
  expect({ paid, refunded }).toEqual({ paid: BigInt(spent), refunded: deposit - BigInt(spent) });
});
