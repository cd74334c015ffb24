// A gateway that pays a provider in a token with six decimals, by channel: both whole, on a real chain; the money is read from the token.
import { connectChain, createSender } from "@clawcompute/lib/chain";
import { costDown } from "@clawcompute/lib/money";
import { decodeSignedReceipt } from "@clawcompute/lib/protocol";
import { createRecordingLogger, devAccounts, type LocalChain, readArtifact, startLocalChain } from "@clawcompute/lib/testing";
import { type Abi, erc20Abi, type GetContractReturnType, getContract, type LocalAccount } from "viem";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Asset, inUnitsOf, readAsset } from "../../agents/gateway/asset.ts";
import { findChannels, readChannelLedger } from "../../agents/gateway/channels/ownChannels.ts";
import { channelsText } from "../../agents/gateway/channels/stopChannels.ts";
import { noLedger, type RequestResult } from "../../agents/gateway/ledger/ledger.ts";
import { startGateway, type TestGateway } from "../../agents/gateway/testing/startGateway.ts";
import { createEchoBackend } from "../../agents/provider/backends/echo.ts";
import { startProvider, type TestProvider } from "../../agents/provider/testing/startProvider.ts";
import { deployMockToken } from "./harness/mockToken.ts";

const [deployer, owner, payer] = [devAccounts[0], devAccounts[1], devAccounts[5]] as readonly LocalAccount[] as [
  LocalAccount,
  LocalAccount,
  LocalAccount,
];
/** 0.0005 of the token a second. */
const PRICE = 500n;
const DEPOSIT_SECONDS = 60;
let local: LocalChain;
let token: GetContractReturnType<typeof erc20Abi, ReturnType<typeof connectChain>["client"]>;
let asset: Asset;
let provider: TestProvider;
let gateway: TestGateway;
const results: RequestResult[] = [];

beforeAll(async () => {
  local = await startLocalChain({ blockTimeMs: 500 });
  const chain = connectChain(local.network);
  const address = await deployMockToken(chain, deployer, "Test Dollar", "TUSD", 6);
  const minter = createSender({ chain, account: deployer, logger: createRecordingLogger() });
  const mint = { contract: address, abi: readArtifact("MockToken", "mocks/MockToken.sol").abi as Abi, functionName: "mint" };
  await minter.send({ ...mint, args: [payer.address, 10n ** 12n] }, { onSent: () => void local.mine() });
  token = getContract({ address, abi: erc20Abi, client: chain.client });
  asset = await readAsset(chain, address);
  const backend = createEchoBackend({ kind: "echo", tokenDelayMs: 20 });
  const offers = [
    { model: "m", backend, asset: token.address },
    { model: "for-coins", backend },
  ];
  provider = await startProvider({ local, owner, offers, price: PRICE });
});
afterEach(() => gateway?.stop());
afterAll(async () => {
  await provider?.stop();
  await local?.stop();
});

const start = async (overrides: Parameters<typeof startGateway>[2] = {}) => {
  const units = (text: bigint) => inUnitsOf(asset, text);
  gateway = await startGateway(local, payer, {
    asset,
    spendLimits: { perRequest: units(10n ** 18n), total: units(10n ** 18n) },
    ledger: { ...noLedger, finish: (_, result) => void results.push(result) },
    ...overrides,
    pool: { depositSeconds: DEPOSIT_SECONDS, maxDeposit: units(10n ** 18n), ...overrides.pool },
  });
  await gateway.gateway.recovered;
};
const ask = (model = "m", words = 60) =>
  fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    body: JSON.stringify({ model, messages: [{ role: "user", content: "word ".repeat(words) }] }),
  });

describe("a gateway that pays in a token", () => {
  test("behavior: chooses among the token's offers, lets the escrow take exactly the deposit, pays to the millisecond, has the rest back (P1, P6)", async () => {
    expect(asset).toEqual({ address: token.address, symbol: "TUSD", decimals: 6 });
    await start();
    const before = { payer: await token.read.balanceOf([payer.address]), owner: await token.read.balanceOf([owner.address]) };
    const answer = await ask();
    expect(answer.status).toBe(200);
    const { clawcompute } = await answer.json();
    expect(clawcompute).toMatchObject({ symbol: "TUSD", provider: String(provider.providerId(0)) });
    const { receipt } = decodeSignedReceipt(results.at(-1)?.receipt);
    expect(receipt).toMatchObject({ kind: "channel", cumulativeAmount: costDown(PRICE, receipt.cumulativeServedMs) });
    expect(clawcompute.costWei).toBe(String(receipt.amount));
    expect((await ask("for-coins")).status).toBe(404);
    const chain = connectChain(local.network);
    expect(await channelsText(chain, await findChannels(chain, payer.address, 0n))).toContain(" 0.03 TUSD ");
    expect(gateway.gateway.budget.report().heldWei).toBe(PRICE * BigInt(DEPOSIT_SECONDS));

    await gateway.gateway.pool.endOpen();
    const owed = receipt.cumulativeAmount;
    expect(await token.read.balanceOf([payer.address])).toBe(before.payer - owed);
    expect(await token.read.balanceOf([owner.address])).toBe(before.owner + owed);
    const [channel] = await findChannels(chain, payer.address, 0n);
    if (!channel) throw new Error("no channel");
    const { deposit, paid, refunded, closed } = await readChannelLedger(chain, channel.id, channel.openBlock);
    expect({ closed, paid, refunded }).toEqual({ closed: true, paid: owed, refunded: deposit - owed });
    expect(await token.read.allowance([payer.address, local.network.contracts.paymentChannel])).toBe(0n);
    // Gas is paid in coins: it is no part of what was spent of the token.
    expect(gateway.gateway.budget.report()).toMatchObject({ heldWei: 0n, totalWei: owed });
  });

  test("behavior: tops a channel up with an allowance of its own", async () => {
    await start({ pool: { depositSeconds: 4, minRunwayMs: 3_500 } });
    expect((await ask()).status).toBe(200);
    expect((await ask()).status).toBe(200);
    const [open] = gateway.gateway.pool.list();
    expect(open?.cover.depositWei).toBeGreaterThan(PRICE * 4n);
    await gateway.gateway.pool.endOpen();
    expect(await token.read.allowance([payer.address, local.network.contracts.paymentChannel])).toBe(0n);
  });

  test("error: limits are in the token's own units (P14): nothing is sent for what they forbid", async () => {
    await start({ spendLimits: { total: PRICE * 3n } });
    const channels = (await findChannels(connectChain(local.network), payer.address, 0n)).length;
    const refused = await ask();
    expect([refused.status, (await refused.json()).error.code]).toEqual([402, "budget_exceeded"]);
    expect(await findChannels(connectChain(local.network), payer.address, 0n)).toHaveLength(channels);
    expect(() => inUnitsOf(asset, 10n ** 11n)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });

  test("error: a wallet without the token sends nothing", async () => {
    const poor = devAccounts[6] as LocalAccount;
    gateway = await startGateway(local, poor, { asset });
    await gateway.gateway.recovered;
    const refused = await ask();
    expect([refused.status, (await refused.json()).error.code]).toEqual([402, "wallet_unfunded"]);
    expect(await connectChain(local.network).client.getTransactionCount({ address: poor.address })).toBe(0);
  });
});
