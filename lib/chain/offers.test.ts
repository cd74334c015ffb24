import { encodeDeployData, zeroAddress } from "viem";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createRecordingLogger, devAccounts, type LocalChain, readArtifact, startLocalChain } from "../testing/index.ts";
import { assertChain, type Chain, connectChain } from "./connect.ts";
import { readMarket } from "./market.ts";
import { listActiveOffers, listWalletOffers, readOffer } from "./offers.ts";
import { chainTimeMs } from "./reading.ts";
import { createSender, type Sender, type SentTransaction } from "./sender.ts";
import { createdStreamId, readStream } from "./streams.ts";
import { registryWrites, streamPayWrites } from "./writes.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

type Account = (typeof devAccounts)[number];
const [deployer, owner, second] = devAccounts as [Account, Account, Account];
const offers = 300;

let local: LocalChain;
let chain: Chain;
let token: `0x${string}`;

const senderOf = (account: Account): Sender => createSender({ chain, account, logger: createRecordingLogger() });

/** Sends all, then mines one block for them. */
async function sendAll(sender: Sender, calls: Parameters<Sender["send"]>[0][]) {
  let out = 0;
  const onSent = () => {
    out += 1;
    if (out === calls.length) void local.mine();
  };
  return Promise.all(calls.map((call) => sender.send(call, { onSent })));
}

beforeAll(async () => {
  local = await startLocalChain({ blockTimeMs: 0 });
  chain = connectChain({ ...local.network, blockTimeMs: 100 });
  const { abi, bytecode } = readArtifact("MockToken", "mocks/MockToken.sol");
  const create = abi.find((item) => item.type === "constructor");
  const args = (create?.inputs ?? []).map((input) => (input.type === "string" ? "T" : 18));
  const raw = await deployer.signTransaction({
    chainId: 31337,
    type: "eip1559",
    nonce: await chain.client.getTransactionCount({ address: deployer.address }),
    data: encodeDeployData({ abi, bytecode, args }),
    gas: 5_000_000n,
    maxFeePerGas: 10_000_000_000n,
    maxPriorityFeePerGas: 1_000_000_000n,
  });
  const hash = await local.request<`0x${string}`>("eth_sendRawTransaction", [raw]);
  await local.mine();
  token = (await chain.client.getTransactionReceipt({ hash })).contractAddress as `0x${string}`;
  await sendAll(
    senderOf(owner),
    Array.from({ length: offers }, (_, index) =>
      registryWrites.registerProvider({
        model: `model-${index % 3}`,
        pricePerSecond: BigInt(1 + ((index * 7919) % 1000)),
        endpoint: `https://provider-${index}.example.org/inference`,
        serviceType: 0,
        ...(index % 10 === 0 ? { asset: token } : {}),
      }),
    ),
  );
});
afterAll(() => local?.stop());

describe("listActiveOffers", () => {
  it("behavior: all of a few hundred, native first, cheapest first", async () => {
    const listed = await listActiveOffers(chain);
    expect(listed.length).toBe(offers);
    expect(new Set(listed.map(({ id }) => id)).size).toBe(offers);
    const native = listed.filter(({ asset }) => asset === zeroAddress);
    expect(native.length).toBe(270);
    expect(listed.slice(0, 270)).toEqual(native);
    const prices = native.map(({ pricePerSecond }) => pricePerSecond);
    expect(prices).toEqual([...prices].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
  });

  it("behavior: a limit reads the cheapest of a model and no more", async () => {
    const all = await listActiveOffers(chain, { model: "model-1", asset: zeroAddress });
    expect(await listActiveOffers(chain, { model: "model-1", asset: zeroAddress, limit: 7 })).toEqual(all.slice(0, 7));
    expect(await listActiveOffers(chain, { limit: 7 })).toHaveLength(7);
    expect(await listActiveOffers(chain, { model: "model-1", asset: zeroAddress, limit: 0 })).toEqual([]);
  });

  it("behavior: filters by model and asset, alone and together", async () => {
    const all = await listActiveOffers(chain);
    const byModel = await listActiveOffers(chain, { model: "model-1" });
    const byAsset = await listActiveOffers(chain, { asset: token });
    const byBoth = await listActiveOffers(chain, { model: "model-1", asset: zeroAddress });
    expect(byModel).toEqual(all.filter(({ model }) => model === "model-1"));
    expect(byAsset.length).toBe(30);
    expect(byBoth).toEqual(byModel.filter(({ asset }) => asset === zeroAddress));
    expect(await listActiveOffers(chain, { model: "nobody", asset: zeroAddress })).toEqual([]);
    expect(await listActiveOffers(chain, { model: "nobody" })).toEqual([]);
  });
});

describe("readMarket", () => {
  const bounds = { whole: 299, samples: 3, perSample: 10, models: 10, perModel: 20 };

  it("behavior: a small market whole, of a large one the cheapest of each model", async () => {
    const all = await listActiveOffers(chain, { asset: zeroAddress });
    expect(await readMarket(chain, zeroAddress)).toEqual({ offers: all, whole: true });
    const asked = vi.spyOn(chain.client, "readContract");
    const market = await readMarket(chain, zeroAddress, bounds);
    expect(market.whole).toBe(false);
    for (const model of ["model-0", "model-1", "model-2"]) {
      const found = market.offers.filter((offer) => offer.model === model);
      expect(found, model).toEqual(all.filter((offer) => offer.model === model).slice(0, 20));
    }
    expect(market.offers[0]).toEqual(all[0]);
    // Its size, three places, what is there, and twice for each of three models.
    expect(asked).toHaveBeenCalledTimes(1 + 3 + 1 + 2 * 3);
    asked.mockRestore();
  });

  it("behavior: more models than it looks at: the ones that are named most", async () => {
    const { offers: few } = await readMarket(chain, zeroAddress, { ...bounds, models: 1 });
    expect(new Set(few.map(({ model }) => model)).size).toBe(1);
    expect(few).toHaveLength(20);
    expect((await readMarket(chain, token, bounds)).offers).toEqual(await listActiveOffers(chain, { asset: token }));
  });
});

describe("readOffer, listWalletOffers", () => {
  it("behavior: an offer as it was registered, its signer and its price as they are now", async () => {
    const [newest] = await listWalletOffers(chain, owner.address);
    const id = newest?.id as number;
    expect(id).toBe(offers);
    expect(newest).toEqual({
      id,
      owner: owner.address,
      signer: undefined,
      asset: zeroAddress,
      pricePerSecond: BigInt(1 + ((299 * 7919) % 1000)),
      serviceType: 0,
      active: true,
      registeredAt: expect.any(Number),
      completions: 0n,
      earned: 0n,
      model: "model-2",
      endpoint: "https://provider-299.example.org/inference",
    });
    await sendAll(senderOf(owner), [
      registryWrites.setProviderSigner({ id, signer: second.address }),
      registryWrites.updateProvider({ id, pricePerSecond: 5n, endpoint: "https://new.example.org", active: false }),
    ]);
    expect(await readOffer(chain, id)).toMatchObject({
      signer: second.address,
      pricePerSecond: 5n,
      endpoint: "https://new.example.org",
      active: false,
    });
    expect((await listActiveOffers(chain)).length).toBe(offers - 1);
    expect((await listWalletOffers(chain, owner.address)).length).toBe(offers);
    expect(await listWalletOffers(chain, second.address)).toEqual([]);
  });

  it("error: an unknown id", async () => {
    await expect(readOffer(chain, 99_999)).rejects.toMatchObject({ code: "COMPUTE_REGISTRY_UNKNOWN_PROVIDER", facts: { id: "99999" } });
  });
});

describe("readStream", () => {
  it("behavior: unknown, active, ended and closed", async () => {
    const sender = senderOf(second);
    const [created] = await sendAll(sender, [
      streamPayWrites.createStream({ recipient: owner.address, durationSeconds: 10, serviceType: 0, providerId: 0, value: 1000n }),
    ]);
    const id = createdStreamId((created as SentTransaction).receipt);
    const active = await readStream(chain, id);
    expect(active).toMatchObject({
      id,
      payer: second.address,
      payee: owner.address,
      asset: zeroAddress,
      ratePerSecond: 100n,
      providerId: 0,
      status: "active",
    });
    expect(active.end - active.start).toBe(10);
    await local.advance(11);
    expect(await chainTimeMs(chain)).toBeGreaterThanOrEqual(active.end * 1000);
    expect(await readStream(chain, id)).toMatchObject({ status: "ended" });
    await sendAll(senderOf(owner), [streamPayWrites.withdrawFromStream(id)]);
    expect(await readStream(chain, id)).toMatchObject({ status: "closed" });
    expect(await readStream(chain, id + 1000n)).toMatchObject({ status: "unknown" });
  });
});

describe("assertChain", () => {
  it("behavior: passes on the real one", () => assertChain(chain));

  it("error: another chain, no contract, no answer", async () => {
    await expect(assertChain(connectChain({ ...chain.network, chainId: 97 }))).rejects.toMatchObject({
      code: "CHAIN_MISMATCH",
      facts: { expected: 97, found: 31337 },
    });
    const contracts = { ...chain.network.contracts, streamPay: second.address };
    await expect(assertChain(connectChain({ ...chain.network, contracts }))).rejects.toMatchObject({
      code: "CONTRACT_MISSING",
      facts: { contract: "streamPay" },
    });
    await expect(assertChain(connectChain({ ...chain.network, rpcUrls: ["http://127.0.0.1:9"] }))).rejects.toMatchObject({
      code: "CHAIN_UNAVAILABLE",
      retryable: true,
    });
  });
});
