// An independent ledger of StreamPay. It keeps amounts, not times: a stream has a deposit and a sum already paid, and
// what has accrued is the smaller of the deposit and rate * age. It knows nothing of the contract but the manual.
import assert from "node:assert/strict";
import type { Address } from "viem";

export interface ModelStream {
  readonly payer: Address;
  readonly payee: Address;
  readonly asset: Address;
  readonly rate: bigint;
  readonly start: bigint;
  readonly providerId: bigint;
  deposit: bigint;
  paid: bigint;
  open: boolean;
}

export interface Shares {
  readonly paid: bigint;
  readonly refunded: bigint;
}

const YEAR = 31_536_000n;

export class Model {
  readonly streams = new Map<bigint, ModelStream>();
  readonly credits = new Map<string, bigint>();
  /** What the outside gained or lost, by asset: payouts less deposits. */
  readonly outside = new Map<Address, bigint>();
  readonly balances = new Map<string, bigint>();
  readonly donated = new Map<Address, bigint>();
  readonly earned = new Map<bigint, { completions: bigint; earned: bigint }>();
  accruedByKeepers = 0n;
  rewarded = 0n;
  /** Whether an account can be paid in an asset right now. */
  private readonly payable: (account: Address, asset: Address) => boolean;

  constructor(payable: (account: Address, asset: Address) => boolean) {
    this.payable = payable;
  }

  get(id: bigint): ModelStream {
    const stream = this.streams.get(id);
    assert(stream);
    return stream;
  }

  isOpen(id: bigint): boolean {
    return this.streams.get(id)?.open ?? false;
  }

  accrued({ rate, start, deposit }: ModelStream, now: bigint): bigint {
    const byClock = rate * (now - start);
    return byClock < deposit ? byClock : deposit;
  }

  due(stream: ModelStream, now: bigint): bigint {
    return stream.open ? this.accrued(stream, now) - stream.paid : 0n;
  }

  ended(stream: ModelStream, now: bigint): boolean {
    return this.accrued(stream, now) === stream.deposit;
  }

  // What happens

  opens(terms: Omit<ModelStream, "paid" | "open">, from: Address): bigint {
    const id = BigInt(this.streams.size + 1);
    this.streams.set(id, { ...terms, paid: 0n, open: true });
    this.move(from, terms.asset, -terms.deposit);
    return id;
  }

  /** The deposit that `amount` makes: whole units a second. */
  deposit(amount: bigint, duration: bigint): bigint {
    return (amount / duration) * duration;
  }

  tops(id: bigint, by: Address, amount: bigint): void {
    const stream = this.get(id);
    const added = amount - (amount % stream.rate);
    stream.deposit += added;
    this.move(by, stream.asset, -added);
  }

  withdraws(id: bigint, now: bigint): void {
    const stream = this.get(id);
    const paid = this.due(stream, now);
    this.earns(stream, paid, paid);
    this.pay(stream.payee, stream.asset, paid);
    if (this.ended(stream, now)) stream.open = false;
  }

  /** Ends a stream for what is due, or for `owed` in total held between what was paid and what is due. */
  ends(id: bigint, by: Address, now: bigint, owed?: bigint): Shares {
    const stream = this.get(id);
    const due = this.due(stream, now);
    const wanted = owed === undefined ? due : owed - stream.paid;
    const paid = wanted < 0n ? 0n : wanted < due ? wanted : due;
    const refunded = stream.deposit - stream.paid - paid;
    this.earns(stream, paid, paid);
    stream.open = false;
    if (by === stream.payer) {
      this.credit(stream.payee, stream.asset, paid);
      this.pay(by, stream.asset, refunded);
    } else {
      this.credit(stream.payer, stream.asset, refunded);
      this.pay(by, stream.asset, paid);
    }
    return { paid, refunded };
  }

  redirects(id: bigint, payee: Address, rate: bigint, providerId: bigint, now: bigint): bigint {
    const stream = this.get(id);
    const due = this.due(stream, now);
    const left = stream.deposit - stream.paid - due;
    const seconds = left / rate < YEAR ? left / rate : YEAR;
    this.earns(stream, due, due);
    stream.open = false;
    const { payer, asset } = stream;
    const newId = BigInt(this.streams.size + 1);
    const deposit = rate * seconds;
    this.streams.set(newId, { payer, payee, asset, rate, start: now, providerId, deposit, paid: 0n, open: true });
    this.credit(stream.payee, asset, due);
    this.pay(payer, asset, left - deposit);
    return newId;
  }

  updates(ids: readonly bigint[], keeper: Address, now: bigint): void {
    const rewards = new Map<Address, bigint>();
    for (const id of ids) {
      const stream = this.streams.get(id);
      if (stream === undefined || this.due(stream, now) === 0n) continue;
      const due = this.due(stream, now);
      const reward = due / 1_000n;
      this.earns(stream, due, due - reward);
      this.credit(stream.payee, stream.asset, due - reward);
      rewards.set(stream.asset, (rewards.get(stream.asset) ?? 0n) + reward);
      this.accruedByKeepers += due;
      this.rewarded += reward;
      if (this.ended(stream, now)) stream.open = false;
    }
    for (const [asset, reward] of rewards) this.pay(keeper, asset, reward);
  }

  collects(account: Address, asset: Address, to: Address): void {
    const amount = this.creditOf(account, asset);
    this.credits.delete(key(account, asset));
    this.move(to, asset, amount);
  }

  donates(from: Address, asset: Address, amount: bigint): void {
    this.donated.set(asset, (this.donated.get(asset) ?? 0n) + amount);
    this.balances.set(key(from, asset), this.balanceOf(from, asset) - amount);
  }

  // What is

  creditOf(account: Address, asset: Address): bigint {
    return this.credits.get(key(account, asset)) ?? 0n;
  }

  balanceOf(account: Address, asset: Address): bigint {
    return this.balances.get(key(account, asset)) ?? 0n;
  }

  /** P1: what the contract holds is what came in less what went out, gifts aside. */
  held(asset: Address): bigint {
    return -(this.outside.get(asset) ?? 0n);
  }

  /** What open streams and credits can claim. */
  liabilities(asset: Address): bigint {
    let owed = 0n;
    for (const stream of this.streams.values()) if (stream.open && stream.asset === asset) owed += stream.deposit - stream.paid;
    for (const [owner, amount] of this.credits) if (owner.endsWith(asset)) owed += amount;
    return owed;
  }

  private earns(stream: ModelStream, accrued: bigint, earned: bigint): void {
    stream.paid += accrued;
    if (stream.providerId === 0n || earned === 0n) return;
    const before = this.earned.get(stream.providerId) ?? { completions: 0n, earned: 0n };
    this.earned.set(stream.providerId, { completions: before.completions + 1n, earned: before.earned + earned });
  }

  private pay(account: Address, asset: Address, amount: bigint): void {
    if (this.payable(account, asset)) this.move(account, asset, amount);
    else this.credit(account, asset, amount);
  }

  private credit(account: Address, asset: Address, amount: bigint): void {
    if (amount !== 0n) this.credits.set(key(account, asset), this.creditOf(account, asset) + amount);
  }

  private move(account: Address, asset: Address, amount: bigint): void {
    this.balances.set(key(account, asset), this.balanceOf(account, asset) + amount);
    this.outside.set(asset, (this.outside.get(asset) ?? 0n) + amount);
  }
}

const key = (account: Address, asset: Address) => `${account}/${asset}`;
