// What every test of StreamPay starts from: the contracts, the parties, the assets, and two assertions that look at
// everything at once: each event with all its arguments, each balance and credit of each account, and the books.
import assert from "node:assert/strict";
import { describe } from "node:test";
import { type Address, encodeFunctionData, getAddress, getContractAddress, type Hex, hashTypedData, zeroAddress } from "viem";
import { type LocalAccount, mnemonicToAccount } from "viem/accounts";
import { type Call, Chain, type Contract, type Done, Refused } from "./chain.ts";
import { fresh } from "./fresh.ts";

export { fresh };

export const MAX_DURATION = 31_536_000n;
export const KEEPER_SHARE = 1_000n; // one part in a thousand
export const PUSH_GAS = 200_000n;
export const SALT: Hex = `0x${"5a".repeat(32)}`;
export const U64 = 2n ** 64n - 1n;

export type AssetKind = "native coin" | "18 decimals" | "6 decimals" | "no return value";
const EVERY_ASSET: readonly AssetKind[] = ["native coin", "18 decimals", "6 decimals", "no return value"];
/** All of them, or those that `CONTRACT_TEST_ASSETS` names (the mutation check's first look). */
export const ASSETS = EVERY_ASSET.filter((kind) => process.env.CONTRACT_TEST_ASSETS?.split(",").includes(kind) ?? true);

/** Amounts that a test expects to move, by party; whoever is not named must not move. */
export type Amounts = Partial<Record<Party, bigint>>;
export type Party = "payer" | "payee" | "keeper" | "relayer" | "stranger" | "seller" | "rival" | ContractParty;

export type ContractParty = "contractPayer" | "contractPayee";
/** How an account made of code takes coins and hooks; the order is the contract's. */
export const MOODS = ["ACCEPT", "REJECT", "BURN_GAS", "FLOOD", "REENTER"] as const;

export interface StreamView {
  payer: Address;
  payee: Address;
  asset: Address;
  ratePerSecond: bigint;
  start: number;
  end: number;
  lastPaid: number;
  providerId: number;
}

export interface Expected {
  events: readonly (readonly [string, Record<string, unknown>])[];
  balances?: Amounts;
  credits?: Amounts;
  /** What moved at accounts that are no party. */
  outside?: bigint;
}

export interface Open {
  from?: Address;
  recipient?: Address;
  duration?: bigint;
  rate?: bigint;
  extra?: bigint;
  serviceType?: number;
  providerId?: bigint;
}

export const key = (index: number): LocalAccount =>
  mnemonicToAccount("test test test test test test test test test test test junk", { addressIndex: index });

export const reward = (accrued: bigint): bigint => accrued / KEEPER_SHARE;
export const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);

export const PROVIDER = { model: "llama-3.3-70b-versatile", endpoint: "https://provider.example/inference", serviceType: 0 };

export class World {
  readonly chain: Chain;
  readonly kind: AssetKind;
  readonly registry: Contract;
  readonly streamPay: Contract;
  /** The ERC-20 under test; undefined for the native coin. */
  readonly token: Contract | undefined;
  readonly parties: Readonly<Record<Party, Address>>;
  readonly contracts: Readonly<Record<ContractParty, Contract>>;
  /** A rate that divides nothing evenly. */
  readonly rate: bigint;
  readonly channel: Address;

  constructor(fields: Pick<World, "chain" | "kind" | "registry" | "streamPay" | "token" | "parties" | "contracts" | "rate" | "channel">) {
    this.chain = fields.chain;
    this.kind = fields.kind;
    this.registry = fields.registry;
    this.streamPay = fields.streamPay;
    this.token = fields.token;
    this.parties = fields.parties;
    this.contracts = fields.contracts;
    this.rate = fields.rate;
    this.channel = fields.channel;
  }

  get asset(): Address {
    return this.token?.address ?? zeroAddress;
  }

  get native(): boolean {
    return this.token === undefined;
  }

  // Acting

  call(from: Address, fn: string, args: readonly unknown[], value = 0n): Call {
    return { from, to: this.streamPay, fn, args, value };
  }

  /** The call that opens a stream in the asset under test; `extra` is sent beyond what divides. */
  opening({
    from = this.parties.payer,
    recipient = this.parties.payee,
    duration = 1_000n,
    rate = this.rate,
    extra = 0n,
    serviceType = 0,
    providerId = 0n,
  }: Open = {}): Call {
    const amount = rate * duration + extra;
    return this.native
      ? this.call(from, "createStream", [recipient, duration, serviceType, providerId], amount)
      : this.call(from, "createStream", [this.asset, amount, recipient, duration, serviceType, providerId]);
  }

  /** A call as one of the accounts made of code makes it. */
  through(party: ContractParty, { to, fn, args = [], value = 0n }: Call): Call {
    const data = encodeFunctionData({ abi: to.abi, functionName: fn, args });
    return { from: this.parties.stranger, to: this.contracts[party], fn: "execute", args: [to.address, value, data] };
  }

  async setMood(party: ContractParty, mood: (typeof MOODS)[number], target: Address = zeroAddress, payload: Hex = "0x"): Promise<void> {
    await this.chain.send({
      from: this.parties.stranger,
      to: this.contracts[party],
      fn: "setMood",
      args: [MOODS.indexOf(mood), target, payload],
    });
  }

  /** Opens a stream and returns its id. */
  async open(terms: Open = {}): Promise<bigint> {
    const done = await this.chain.send(this.opening(terms));
    const created = this.chain.events(done, this.streamPay).find((event) => event.name === "StreamCreated");
    assert(created);
    return created.args.id as bigint;
  }

  toppingUp(id: bigint, amount: bigint, from = this.parties.payer, payer = this.parties.payer, payee = this.parties.payee): Call {
    return this.native
      ? this.call(from, "topUpStream", [id, payer, payee], amount)
      : this.call(from, "topUpStream", [id, payer, payee, amount]);
  }

  /** Registers a provider of `owner` in the asset under test and returns its id. */
  async provide(owner = this.parties.payee, price = this.rate, more: { serviceType?: number; asset?: Address } = {}): Promise<bigint> {
    const { model, endpoint } = PROVIDER;
    await this.chain.send({
      from: owner,
      to: this.registry,
      fn: "registerProvider",
      args: [model, price, endpoint, more.serviceType ?? PROVIDER.serviceType, more.asset ?? this.asset],
    });
    const [total] = await this.chain.read<[bigint, bigint]>(this.registry, "getRegistryStats");
    return total;
  }

  update(id: bigint, price: bigint, active: boolean, owner = this.parties.payee): Promise<Done> {
    return this.chain.send({ from: owner, to: this.registry, fn: "updateProvider", args: [id, price, PROVIDER.endpoint, active] });
  }

  setSigner(id: bigint, signer: Address, owner = this.parties.payee): Promise<Done> {
    return this.chain.send({ from: owner, to: this.registry, fn: "setProviderSigner", args: [id, signer] });
  }

  sign(signer: LocalAccount, streamId: bigint, owed: bigint, contract = this.streamPay.address, chainId = 31337): Promise<Hex> {
    return signSettlement(signer, streamId, owed, contract, chainId);
  }

  // Looking

  read<T>(fn: string, args: readonly unknown[] = []): Promise<T> {
    return this.chain.read<T>(this.streamPay, fn, args);
  }

  stream(id: bigint): Promise<StreamView> {
    return this.read<StreamView>("getStream", [id]);
  }

  credit(account: Address, asset = this.asset): Promise<bigint> {
    return this.read<bigint>("creditOf", [account, asset]);
  }

  balanceOf(account: Address): Promise<bigint> {
    return this.token === undefined ? this.chain.balance(account) : this.chain.read<bigint>(this.token, "balanceOf", [account]);
  }

  provider(id: bigint): Promise<{ completions: bigint; earned: bigint }> {
    return this.chain.read(this.registry, "getProvider", [id]);
  }

  /** What the contract owes in the asset under test: what its streams hold and what it has credited. */
  async liabilities(): Promise<bigint> {
    let owed = 0n;
    const created = await this.read<bigint>("getProtocolStats");
    for (let id = 1n; id <= created; id++) {
      const stream = await this.stream(id);
      if (stream.asset === this.asset) owed += stream.ratePerSecond * BigInt(stream.end - stream.lastPaid);
    }
    for (const account of Object.values(this.parties)) owed += await this.credit(account);
    return owed;
  }

  private async holdings(): Promise<Record<"balances" | "credits", Record<string, bigint>>> {
    const [balances, credits]: Record<string, bigint>[] = [{}, {}];
    assert(balances && credits);
    for (const [party, account] of Object.entries(this.parties)) {
      balances[party] = await this.balanceOf(account);
      credits[party] = await this.credit(account);
    }
    return { balances, credits };
  }

  // Asserting

  /**
   * The call succeeds with exactly these events (of StreamPay and, for records, of the registry; addresses and numbers in
   * full), exactly these changes of balances and credits, and books that balance to the unit before and after.
   */
  async expect(call: Call, { events, balances = {}, credits = {}, outside = 0n }: Expected): Promise<Done> {
    const earlier = await this.holdings();
    const heldBefore = await this.balanceOf(this.streamPay.address);
    const done = await this.chain.send(call);
    const later = await this.holdings();
    const held = await this.balanceOf(this.streamPay.address);

    assert.deepEqual(
      this.chain.events(done, this.streamPay, this.registry).map(({ name, args }) => [name, args]),
      events.map(([name, args]) => [name, args]),
    );
    assert.deepEqual(changes(earlier.balances, later.balances), nonZero(balances), "balances");
    assert.deepEqual(changes(earlier.credits, later.credits), nonZero(credits), "credits");
    const moved = Object.values(balances).reduce((sum, amount) => sum + amount, outside);
    assert.equal(held - heldBefore, -moved, "what the contract holds");
    assert.equal(await this.liabilities(), held, "liabilities are what is held");
    return done;
  }

  /** The call is refused with exactly this error. */
  async refuses(call: Call, errorName: string, args: readonly unknown[] = []): Promise<void> {
    const error = await this.chain.send(call).then(
      () => assert.fail(`${call.fn} was not refused with ${errorName}`),
      (reason: unknown) => reason,
    );
    if (!(error instanceof Refused)) throw error;
    assert.deepEqual([error.errorName, ...error.args], [errorName, ...args]);
  }

  /** The `StreamCreated` that `opening` with the same terms emits. */
  created(id: bigint, { from, recipient, duration = 1_000n, rate = this.rate, serviceType = 0, providerId = 0n }: Open = {}) {
    return [
      "StreamCreated",
      {
        id,
        payer: from ?? this.parties.payer,
        payee: recipient ?? this.parties.payee,
        asset: this.asset,
        ratePerSecond: rate,
        start: this.chain.now,
        end: this.chain.now + duration,
        providerId,
        serviceType,
      },
    ] as const;
  }

  credited(party: Party, amount: bigint) {
    return ["CreditAdded", { account: this.parties[party], asset: this.asset, amount }] as const;
  }
}

/** Signs a settlement with one of the chain's keys. */
export async function signSettlement(
  signer: LocalAccount,
  streamId: bigint,
  owed: bigint,
  contract: Address,
  chainId = 31337,
): Promise<Hex> {
  assert(signer.sign);
  const hash = hashTypedData({
    domain: { name: "ClawCompute StreamPay", version: "1", chainId, verifyingContract: contract },
    types: {
      Settlement: [
        { name: "streamId", type: "uint256" },
        { name: "owed", type: "uint256" },
      ],
    },
    primaryType: "Settlement",
    message: { streamId, owed },
  });
  return signer.sign({ hash });
}

/** A `CompletionRecorded` of the registry. */
export const recorded = (id: bigint, earned: bigint, count = 1n) => ["CompletionRecorded", { id, count, earned }] as const;

const nonZero = (amounts: Amounts) => Object.fromEntries(Object.entries(amounts).filter(([, amount]) => amount !== 0n));

const changes = (before: Record<string, bigint>, after: Record<string, bigint>) =>
  nonZero(Object.fromEntries(Object.entries(after).map(([party, amount]) => [party, amount - (before[party] ?? 0n)])));

export async function deployPair(chain: Chain): Promise<{ registry: Contract; streamPay: Contract; channel: Address }> {
  const [deployer] = chain.accounts;
  const channel = chain.accounts[9];
  assert(deployer && channel);
  const nonce = BigInt((await chain.rpc("eth_getTransactionCount", [deployer, "latest"])) as Hex);
  const expected = getContractAddress({ from: deployer, nonce: nonce + 1n });
  const registry = await chain.deploy("ComputeRegistry", [expected, channel]);
  const streamPay = await chain.deploy("StreamPay", [registry.address]);
  assert.equal(streamPay.address, getAddress(expected));
  return { registry, streamPay, channel };
}

const TOKENS: Readonly<Record<AssetKind, readonly [name: string, args: readonly unknown[]] | undefined>> = {
  "native coin": undefined,
  "18 decimals": ["MockToken", ["Eighteen", "E18", 18]],
  "6 decimals": ["MockToken", ["Six", "S6", 6]],
  "no return value": ["NoReturnToken", []],
};
const RATES: Readonly<Record<AssetKind, bigint>> = {
  "native coin": 27_777_777_777_777n,
  "18 decimals": 123_456_789_123_457n,
  "6 decimals": 1_111n,
  "no return value": 3_001n,
};

/** Deploys everything for one asset, with a token of another name than the usual ones when `token` says so. */
export async function build(kind: AssetKind, token: readonly [string, readonly unknown[]] | undefined = TOKENS[kind]): Promise<World> {
  const chain = await Chain.open();
  const { registry, streamPay, channel } = await deployPair(chain);
  const [, payer, payee, keeper, relayer, stranger, seller, rival] = chain.accounts;
  assert(payer && payee && keeper && relayer && stranger && seller && rival);
  const contracts = { contractPayer: await chain.deploy("Actor"), contractPayee: await chain.deploy("Actor") };
  const parties = {
    ...{ payer, payee, keeper, relayer, stranger, seller, rival },
    contractPayer: contracts.contractPayer.address,
    contractPayee: contracts.contractPayee.address,
  };
  const erc20 = token === undefined ? undefined : await chain.deploy(...token);
  const world = new World({ chain, kind, registry, streamPay, token: erc20, parties, contracts, rate: RATES[kind], channel });
  for (const party of [payer, relayer, stranger]) {
    if (erc20 === undefined) continue;
    await chain.send({ from: party, to: erc20, fn: "mint", args: [party, 10n ** 30n] });
    await chain.send({ from: party, to: erc20, fn: "approve", args: [streamPay.address, 2n ** 256n - 1n] });
  }
  if (erc20 === undefined) await chain.transfer(chain.accounts[0] as Address, parties.contractPayer, 10n ** 24n);
  else await chain.send({ from: payer, to: erc20, fn: "mint", args: [parties.contractPayer, 10n ** 24n] });
  return world;
}

const worlds = new Map<AssetKind, Promise<World>>();

/** The world of one asset, built once for all test files. */
export function inAsset(kind: AssetKind): () => World {
  return fresh(() => {
    const world = worlds.get(kind) ?? build(kind);
    worlds.set(kind, world);
    return world;
  });
}

/** Runs the same tests in every asset. */
export function shouldBehaveTheSameInEveryAsset(tests: (world: () => World) => void): void {
  for (const kind of ASSETS) describe(`in ${kind}`, () => tests(inAsset(kind)));
}
