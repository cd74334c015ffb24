// A registry whose two payment contracts are plain accounts, and what its tests say in one line.
import assert from "node:assert/strict";
import type { Address } from "viem";
import { type Call, Chain, type Contract, Refused } from "../StreamPay/chain.ts";
import { fresh } from "../StreamPay/fresh.ts";

export const MODEL = "llama-3.3-70b-versatile";
export const ENDPOINT = "https://provider.example/inference";
export const U64 = 2n ** 64n - 1n;
export const U128 = 2n ** 128n - 1n;

export interface Provider {
  owner: Address;
  pricePerSecond: bigint;
  active: boolean;
  serviceType: number;
  signer: Address;
  registeredAt: number;
  completions: bigint;
  asset: Address;
  earned: bigint;
  model: string;
  endpoint: string;
}

export interface Offer {
  model?: string;
  price?: bigint;
  endpoint?: string;
  serviceType?: number;
  asset?: Address;
  from?: Address;
}

export class Market {
  readonly chain: Chain;
  readonly registry: Contract;
  readonly token: Contract;
  readonly owner: Address;
  readonly other: Address;
  readonly stranger: Address;
  readonly streamPay: Address;
  readonly paymentChannel: Address;

  private constructor(chain: Chain, registry: Contract, token: Contract) {
    const [, owner, other, stranger, streamPay, paymentChannel] = chain.accounts;
    assert(owner && other && stranger && streamPay && paymentChannel);
    this.chain = chain;
    this.registry = registry;
    this.token = token;
    this.owner = owner;
    this.other = other;
    this.stranger = stranger;
    this.streamPay = streamPay;
    this.paymentChannel = paymentChannel;
  }

  static async build(): Promise<Market> {
    const chain = await Chain.open();
    const registry = await chain.deploy("ComputeRegistry", [chain.accounts[4], chain.accounts[5]]);
    return new Market(chain, registry, await chain.deploy("MockToken", ["Dollar", "USD", 6]));
  }

  call(from: Address, fn: string, args: readonly unknown[]): Call {
    return { from, to: this.registry, fn, args };
  }

  registering({ model = MODEL, price = 100n, endpoint = ENDPOINT, serviceType = 0, asset, from = this.owner }: Offer = {}): Call {
    return this.call(from, "registerProvider", [model, price, endpoint, serviceType, ...(asset === undefined ? [] : [asset])]);
  }

  async register(offer: Offer = {}): Promise<bigint> {
    const done = await this.chain.send(this.registering(offer));
    const [event] = this.chain.events(done, this.registry);
    return event?.args.id as bigint;
  }

  updating(id: bigint, { price = 100n, endpoint = ENDPOINT, active = true, from = this.owner } = {}): Call {
    return this.call(from, "updateProvider", [id, price, endpoint, active]);
  }

  update(id: bigint, more: Parameters<Market["updating"]>[1]) {
    return this.chain.send(this.updating(id, more));
  }

  read<T>(fn: string, args: readonly unknown[] = []): Promise<T> {
    return this.chain.read<T>(this.registry, fn, args);
  }

  provider(id: bigint): Promise<Provider> {
    return this.read<Provider>("getProvider", [id]);
  }

  /** The call succeeds with exactly these events of the registry. */
  async expect(call: Call, events: readonly (readonly [string, Record<string, unknown>])[]): Promise<void> {
    const done = await this.chain.send(call);
    assert.deepEqual(
      this.chain.events(done, this.registry).map(({ name, args }) => [name, args]),
      events.map(([name, args]) => [name, args]),
    );
  }

  async refuses(call: Call, errorName: string, args: readonly unknown[] = []): Promise<void> {
    const error = await this.chain.send(call).then(
      () => assert.fail(`${call.fn} was not refused with ${errorName}`),
      (reason: unknown) => reason,
    );
    if (!(error instanceof Refused)) throw error;
    assert.deepEqual([error.errorName, ...error.args], [errorName, ...args]);
  }

  /** A read is refused with exactly this error. */
  refusesRead(fn: string, args: readonly unknown[], errorName: string, errorArgs: readonly unknown[]): Promise<void> {
    return assert.rejects(this.read(fn, args), { errorName, args: errorArgs });
  }
}

let built: Promise<Market> | undefined;

/** The market that every test finds empty; built once for all test files. */
export const inMarket = (): (() => Market) =>
  fresh(() => {
    built ??= Market.build();
    return built;
  });
