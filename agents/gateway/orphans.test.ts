import { readOffer, readStream } from "@clawcompute/lib/chain";
import { createDialer, systemClock } from "@clawcompute/lib/node";
import { signSettlement } from "@clawcompute/lib/protocol";
import { devAccounts } from "@clawcompute/lib/testing";
import type { LocalAccount } from "viem";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { endOrphan, findStreams, lookBackBlock } from "./orphans.ts";
import { createPayment } from "./payment.ts";
import { createProviderClient } from "./providerClient.ts";
import { type Market, openMarket, quiet } from "./testing/market.ts";
import { domainOf } from "./verify.ts";

let market: Market;
beforeAll(async () => {
  market = await openMarket();
}, 60_000);
afterEach(() => market.clear());
afterAll(() => market.close());

const owner = devAccounts[1] as LocalAccount;
const dialer = createDialer({ allowPrivate: true });
afterAll(() => dialer.close());

/** Streams as a killed process leaves them: open, and known to the chain only. */
async function leaveOpen(providerId: number, count: number): Promise<bigint[]> {
  const payment = createPayment({ chain: market.chain, sender: market.sender, clock: systemClock, logger: quiet });
  const offer = await readOffer(market.chain, providerId);
  const ids: bigint[] = [];
  for (let opened = 0; opened < count; opened += 1) ids.push((await payment.open(offer, 600)).id);
  return ids;
}

const options = () => ({
  chain: market.chain,
  signer: market.payer,
  payment: createPayment({ chain: market.chain, sender: market.sender, clock: systemClock, logger: quiet }),
  clientOf: (endpoint: string) => createProviderClient(endpoint, dialer),
  clock: systemClock,
  logger: quiet,
  settleMs: 500,
});
const find = () => findStreams(market.chain, market.payer.address, 0n);

describe("findStreams and endOrphan (P10)", () => {
  it("behavior: what was left open is found from the chain alone and ended for what the provider signs", async () => {
    const owed = 1_234_567_890n;
    const provider = await market.provide({
      intercept: (request, response, body) => {
        if (request.url === "/v1/sessions") settling = BigInt((JSON.parse(body) as { streamId: string }).streamId);
        if (request.url !== "/v1/sessions/settle") return false;
        const streamId = settling;
        void signSettlement(owner, domainOf(market.chain), { streamId, owed }).then((signature) =>
          response
            .writeHead(200)
            .end(JSON.stringify({ settlement: { streamId: String(streamId), owed: String(owed), signature }, servedMs: 1234 })),
        );
        return true;
      },
    });
    let settling = 0n;
    const [id = 0n] = await leaveOpen(provider.offer.id, 1);
    const found = await find();
    expect(found).toMatchObject([{ id, status: "active", providerId: provider.offer.id }]);
    const { payment, ...rest } = options();
    await endOrphan(found[0] as (typeof found)[number], { payment, ...rest });
    expect(payment.transactions.map(({ kind }) => kind)).toEqual(["settle"]);
    expect(await find()).toEqual([]);
  });

  it("behavior: five of a provider that is gone are cancelled", async () => {
    const provider = await market.provide();
    const ids = await leaveOpen(provider.offer.id, 5);
    await provider.close();
    const found = await find();
    expect(found.map(({ id }) => id)).toEqual(ids);
    const { payment, ...rest } = options();
    await Promise.all(found.map((stream) => endOrphan(stream, { payment, ...rest })));
    expect(payment.transactions.map(({ kind }) => kind)).toEqual(Array(5).fill("cancel"));
    for (const id of ids) expect((await readStream(market.chain, id)).status).toBe("closed");
  });

  it("behavior: streams of others and streams that are closed are not ours to end", async () => {
    const provider = await market.provide();
    await market.ask();
    await leaveOpen(provider.offer.id, 1);
    expect(await findStreams(market.chain, owner.address, 0n)).toEqual([]);
    for (const stream of await find()) await endOrphan(stream, options());
    expect(await find()).toEqual([]);
  });
});

describe("lookBackBlock", () => {
  it("behavior: everything on a local chain, a time on a public one, never before the contracts", async () => {
    const { chain } = market;
    const latest = await chain.client.getBlockNumber();
    const publicChain = { ...chain, network: { ...chain.network, isLocal: false, blockTimeMs: 1000, deployBlock: 2n } };
    expect(await lookBackBlock(chain, 60)).toBe(chain.network.deployBlock);
    expect(await lookBackBlock(publicChain, 3)).toBe(latest - 3n);
    expect(await lookBackBlock(publicChain, 1_000_000)).toBe(2n);
  });
});
