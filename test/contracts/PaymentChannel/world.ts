// What every test of the channel starts from: the contracts, the parties, four assets, and the books to check.
import assert from "node:assert/strict";

import { network } from "hardhat";
import {
  type Address,
  getAddress,
  getContractAddress,
  type Hash,
  type Hex,
  isAddressEqual,
  keccak256,
  maxUint256,
  numberToHex,
  parseEventLogs,
  zeroAddress,
} from "viem";

const connection = await network.create();
export const { viem, networkHelpers, provider } = connection;
export const chainId = 31337;
export const GRACE = 900n;
export const MAX_DEPOSIT = 2n ** 88n - 1n;
export const PERMIT2: Address = "0x000000000022D473030F116dDEE9F6B43aC78BA3";
export const publicClient = await viem.getPublicClient();

export interface Asset {
  readonly name: string;
  readonly address: Address;
  readonly unit: bigint;
  readonly balanceOf: (account: Address) => Promise<bigint>;
}

async function deploy() {
  const [deployer, payer, payee, hot, relayer, stranger] = await viem.getWalletClients();
  assert(deployer && payer && payee && hot && relayer && stranger);
  const nonce = BigInt(await publicClient.getTransactionCount({ address: deployer.account.address }));
  const channelAddress = getContractAddress({ from: deployer.account.address, nonce: nonce + 1n });
  const registry = await viem.deployContract("ComputeRegistry", [deployer.account.address, channelAddress]);
  const channel = await viem.deployContract("PaymentChannel", [registry.address]);
  assert(isAddressEqual(channel.address, channelAddress));
  const faultyRegistry = await viem.deployContract("FaultyRegistry");
  const faultyChannel = await viem.deployContract("PaymentChannel", [faultyRegistry.address]);
  const usd18 = await viem.deployContract("MockToken", ["Dollar", "USD", 18]);
  const usd6 = await viem.deployContract("MockToken", ["Dollar", "USD", 6]);
  const noReturn = await viem.deployContract("NoReturnToken");
  const fee = await viem.deployContract("FeeToken");
  const blocklist = await viem.deployContract("BlocklistToken");
  const moody = await viem.deployContract("MoodyToken");
  const hook = await viem.deployContract("HookToken");
  const permit2Code = await publicClient.getCode({ address: (await viem.deployContract("MockPermit2")).address });
  assert(permit2Code);
  await networkHelpers.setCode(PERMIT2, permit2Code);
  const permit2 = await viem.getContractAt("MockPermit2", PERMIT2);
  const accounts = [payer, hot, relayer, stranger];
  for (const token of [usd18, usd6, noReturn, fee, blocklist, moody, hook] as (typeof usd18)[]) {
    for (const account of accounts) {
      await token.write.mint([account.account.address, 2n ** 100n]);
      for (const spender of [channel.address, faultyChannel.address, PERMIT2]) {
        await token.write.approve([spender, maxUint256], { account: account.account });
      }
    }
  }
  const erc20 = (name: string, token: { address: Address }, decimals: number): Asset => ({
    name,
    address: token.address,
    unit: 10n ** BigInt(decimals),
    balanceOf: async (account) => (await viem.getContractAt("MockToken", token.address)).read.balanceOf([account]),
  });
  const native: Asset = {
    name: "native coin",
    address: zeroAddress,
    unit: 10n ** 18n,
    balanceOf: (account) => publicClient.getBalance({ address: account }),
  };
  const assets = [native, erc20("18 decimals", usd18, 18), erc20("6 decimals", usd6, 6), erc20("no return value", noReturn, 6)] as const;
  return {
    registry,
    channel,
    faultyRegistry,
    faultyChannel,
    permit2,
    usd18,
    usd6,
    noReturn,
    fee,
    blocklist,
    moody,
    hook,
    deployer,
    payer,
    payee,
    hot,
    relayer,
    stranger,
    assets,
    native,
    dollar: assets[1],
  };
}

export type World = Awaited<ReturnType<typeof deploy>>;
export type Channel = World["channel"];
export type Wallet = World["payer"];

/** A fresh world: the same contracts and parties as at the first call. */
export const load = (): Promise<World> => networkHelpers.loadFixture(deploy);

export const as = (wallet: Wallet) => ({ account: wallet.account });

let salts = 0;
export const freshSalt = (): Hex => keccak256(numberToHex(++salts));

export interface Terms {
  payer: Address;
  payee: Address;
  token: Address;
  salt: Hex;
  authorizedSigner: Address;
}

/** Terms between the usual parties, with the hot key as signer. */
export function terms(w: World, more: Partial<Terms> = {}): Terms {
  const all = {
    payer: w.payer.account.address,
    payee: w.payee.account.address,
    token: w.usd18.address,
    salt: freshSalt(),
    authorizedSigner: w.hot.account.address,
    ...more,
  };
  return {
    ...all,
    payer: getAddress(all.payer),
    payee: getAddress(all.payee),
    token: getAddress(all.token),
    authorizedSigner: getAddress(all.authorizedSigner),
  };
}

export const idOf = (channel: Channel, t: Terms): Promise<Hex> =>
  channel.read.computeChannelId([t.payer, t.payee, t.token, t.salt, t.authorizedSigner]);

export interface Opened {
  readonly id: Hex;
  readonly terms: Terms;
  readonly deposit: bigint;
}

/** Opens a channel as its payer, by `open`. */
export async function opened(w: World, deposit: bigint, more: Partial<Terms> = {}, channel: Channel = w.channel): Promise<Opened> {
  const t = terms(w, more);
  const value = t.token === zeroAddress ? deposit : 0n;
  await channel.write.open([t.payee, t.token, deposit, t.salt, t.authorizedSigner], { account: t.payer, value });
  return { id: await idOf(channel, t), terms: t, deposit };
}

export async function closed(w: World, deposit: bigint, more: Partial<Terms> = {}): Promise<Opened> {
  const c = await opened(w, deposit, more);
  await w.channel.write.close([c.id, 0n, "0x"], as(w.payee));
  return c;
}

/** Asserts that a call reverts with this error of the channel and these arguments. */
export function reverts(w: World, call: Promise<unknown>, name: string, args: readonly unknown[]): Promise<void> {
  return viem.assertions.revertWithCustomErrorWithArgs(
    call as Promise<Hash>,
    w.channel,
    name as "PaymentChannel_ZeroPayee",
    args.map(checksummed) as [],
  );
}

/** Asserts that a call reverts with this error of another contract (a token, Permit2). */
export function revertsIn(
  contract: { abi: unknown; address: Address },
  call: Promise<unknown>,
  name: string,
  args: readonly unknown[],
): Promise<void> {
  return viem.assertions.revertWithCustomErrorWithArgs(
    call as Promise<Hash>,
    contract as World["usd18"],
    name as "ECDSAInvalidSignature",
    args.map(checksummed) as [],
  );
}

/** Asserts that a transaction emitted exactly these events of the channel contract, in this order. */
export async function emits(
  hash: Hash,
  channel: Channel,
  expected: readonly (readonly [name: string, args: Record<string, unknown>])[],
): Promise<void> {
  const receipt = await publicClient.getTransactionReceipt({ hash });
  const logs = parseEventLogs({ abi: channel.abi, logs: receipt.logs.filter((log) => isAddressEqual(log.address, channel.address)) });
  assert.deepEqual(
    logs.map((log) => [log.eventName, log.args]),
    expected.map(([name, args]) => [name, normal(args)]),
  );
}

const isAddress = (value: unknown): value is Address => typeof value === "string" && /^0x[0-9a-fA-F]{40}$/.test(value);

/** Addresses as viem decodes them. */
const checksummed = (value: unknown): unknown => (isAddress(value) ? getAddress(value) : value);

function normal(args: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(args).map(([key, value]) => [key, checksummed(value)]));
}

/** Runs a transaction and asserts what each account's balance of `asset` gained (gas aside), then the contract's books. */
export async function moves(
  w: World,
  asset: Asset,
  deltas: readonly (readonly [account: Address, delta: bigint])[],
  send: () => Promise<Hash>,
  channel: Channel = w.channel,
): Promise<Hash> {
  const before = await Promise.all(deltas.map(([account]) => asset.balanceOf(account)));
  const hash = await send();
  const receipt = await publicClient.getTransactionReceipt({ hash });
  for (const [i, [account, delta]] of deltas.entries()) {
    const paid = asset.address === zeroAddress && isAddressEqual(receipt.from, account) ? receipt.gasUsed * receipt.effectiveGasPrice : 0n;
    assert.equal((await asset.balanceOf(account)) + paid - (before[i] ?? 0n), delta, `balance of ${account}`);
  }
  await balanced(asset, channel);
  return hash;
}

/** Asserts that the contract holds exactly what it owes in `asset`: open channels' remainders and credits. */
export async function balanced(asset: Asset, channel: Channel, donated = 0n): Promise<void> {
  const liabilities = await owed(asset.address, channel);
  assert.equal(await asset.balanceOf(channel.address), liabilities + donated, "holdings equal liabilities");
}

/** What the contract owes in an asset, from its events and views. */
export async function owed(token: Address, channel: Channel): Promise<bigint> {
  const opened = await channel.getEvents.ChannelOpened({}, { fromBlock: 0n });
  const credited = await channel.getEvents.CreditAdded({}, { fromBlock: 0n });
  let sum = 0n;
  for (const log of opened) {
    const c = await channel.read.getChannel([log.args.channelId as Hex]);
    if (isAddressEqual(c.token, token)) sum += c.finalized ? 0n : c.deposit - c.settled;
  }
  for (const account of new Set(credited.map((log) => log.args.account as Address))) sum += await channel.read.creditOf([account, token]);
  return sum;
}

export async function timestamp(): Promise<bigint> {
  return (await publicClient.getBlock()).timestamp;
}
