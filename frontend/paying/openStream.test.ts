// Offers priced in a token without permits: an approval of exactly the deposit, then the stream, on a real chain through the page's client.
import { type ContractCall, type Offer, readOffer, registryWrites } from "@clawcompute/lib/chain";
import { devAccounts, type LocalChain, readArtifact, startLocalChain } from "@clawcompute/lib/testing";
import {
  type Address,
  createWalletClient,
  encodeFunctionData,
  erc20Abi,
  getAddress,
  type Hex,
  http,
  type LocalAccount,
  parseAbi,
  UserRejectedRequestError,
} from "viem";
import { foundry } from "viem/chains";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connectPage } from "@/web3/pageClient.ts";
import { openStream } from "./openStream.ts";
import type { Payer } from "./payment.ts";

const RATE = 100n;
const SECONDS = 60;
const DEPOSIT = RATE * BigInt(SECONDS);
const [seller, person] = [devAccounts[2], devAccounts[5]] as readonly LocalAccount[] as [LocalAccount, LocalAccount];
const mintAbi = parseAbi(["function mint(address to, uint256 amount)"]);
let local: LocalChain;
let payer: Payer;
let token: Address;
let offer: Offer;
/** Where each transaction went that the wallet was asked for, and what else it was asked. */
let asked: string[];
let refuses: (to: Address) => boolean;

beforeAll(async () => {
  local = await startLocalChain();
  const chain = connectPage(local.network);
  const signing = createWalletClient({ account: person, chain: foundry, transport: http(local.rpcUrl) });
  const wallet = {
    ...signing,
    signTypedData: async (data: never) => {
      asked.push("signature");
      return signing.signTypedData(data);
    },
    sendTransaction: async (request: { to: Address }) => {
      asked.push(request.to);
      if (refuses(request.to)) throw new UserRejectedRequestError(new Error("no"));
      return signing.sendTransaction(request as never);
    },
  };
  payer = { chain, wallet: wallet as never };
  const { abi, bytecode } = readArtifact("NoReturnToken", "mocks/AwkwardTokens.sol");
  const owner = createWalletClient({ account: seller, chain: foundry, transport: http(local.rpcUrl) });
  const mined = (hash: Hex) => chain.client.waitForTransactionReceipt({ hash });
  const deployed = await mined(await owner.deployContract({ abi, bytecode, args: [] } as never));
  token = getAddress(deployed.contractAddress as Address);
  const { contract, ...call } = registryWrites.registerProvider({
    model: "in-tokens",
    pricePerSecond: RATE,
    endpoint: "http://127.0.0.1:1",
    serviceType: 0,
    asset: token,
  });
  await mined(await owner.writeContract({ ...call, address: local.network.contracts[contract as "registry"] } as never));
  offer = await readOffer(chain, 1);
  await send({ contract: token, abi: mintAbi, functionName: "mint", args: [person.address, 10n * DEPOSIT] });
}, 60_000);
afterAll(() => local?.stop());
beforeEach(() => {
  [asked, refuses] = [[], () => false];
});

/** Not through the page: nothing of it is recorded. */
async function send({ contract, abi, functionName, args }: ContractCall) {
  const wallet = createWalletClient({ account: person, chain: foundry, transport: http(local.rpcUrl) });
  const hash = await wallet.sendTransaction({ to: contract as Address, data: encodeFunctionData({ abi, functionName, args }) });
  await payer.chain.client.waitForTransactionReceipt({ hash });
}

const read = (functionName: "balanceOf" | "allowance", ...args: Address[]) =>
  payer.chain.client.readContract({ address: token, abi: erc20Abi, functionName, args } as never) as Promise<bigint>;
const escrow = () => local.network.contracts.streamPay;

async function open() {
  const steps: string[] = [];
  const stream = await openStream(payer, offer, SECONDS, (step) => steps.push(step));
  return { stream, steps };
}

describe("openStream", { timeout: 120_000 }, () => {
  it("behavior: a token without permits is approved for exactly the deposit, then the stream opens", async () => {
    const [held, before] = await Promise.all([read("balanceOf", person.address), read("balanceOf", escrow())]);
    const { stream, steps } = await open();
    expect({ steps, asked }).toEqual({ steps: ["allowing", "opening"], asked: [token, escrow()] });
    expect(stream).toMatchObject({ payer: person.address, payee: seller.address, asset: token, ratePerSecond: RATE, providerId: 1 });
    expect(stream.end - stream.start).toBe(SECONDS);
    expect(await read("balanceOf", person.address)).toBe(held - DEPOSIT);
    expect(await read("balanceOf", escrow())).toBe(before + DEPOSIT);
    expect(await read("allowance", person.address, escrow())).toBe(0n);
  });

  it("behavior: what was allowed already is not asked for again", async () => {
    await send({
      contract: token,
      abi: parseAbi(["function approve(address, uint256)"]),
      functionName: "approve",
      args: [escrow(), DEPOSIT],
    });
    const { steps } = await open();
    expect({ steps, asked }).toEqual({ steps: ["opening"], asked: [escrow()] });
  });

  it("error: no in the wallet at the approval, and nothing is allowed; at the stream, and the approval serves the next try", async () => {
    const held = await read("balanceOf", person.address);
    refuses = (to) => to === token;
    await expect(open()).rejects.toMatchObject({ code: "ABORTED" });
    expect(await read("allowance", person.address, escrow())).toBe(0n);
    refuses = (to) => to === escrow();
    await expect(open()).rejects.toMatchObject({ code: "ABORTED" });
    expect(await read("balanceOf", person.address)).toBe(held);
    [asked, refuses] = [[], () => false];
    await open();
    expect(asked).toEqual([escrow()]);
  });

  it("error: a wallet that holds less is told before it is asked anything", async () => {
    const poor = Number((await read("balanceOf", person.address)) / RATE) + 1;
    await expect(openStream(payer, offer, poor, (step) => asked.push(step))).rejects.toMatchObject({
      code: "WALLET_UNFUNDED",
      facts: { asset: token, needed: String(RATE * BigInt(poor)) },
    });
    expect(asked).toEqual([]);
  });
});
