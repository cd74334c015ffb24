// An independent ledger of payment channels: written from the rules, knowing nothing of the contract's layout.
export type Status = "unknown" | "open" | "closing" | "closed";

export interface ChannelEntry {
  readonly payer: string;
  readonly payee: string;
  readonly asset: string;
  deposit: bigint;
  settled: bigint;
  requestedAt: bigint;
  status: Status;
  /** Highest voucher the signer ever signed. */
  voucher: bigint;
}

export interface Transfer {
  readonly to: string;
  readonly amount: bigint;
}

export const graceSeconds = 900n;

export class ChannelModel {
  readonly channels = new Map<string, ChannelEntry>();
  /** Money in minus money out, by asset. */
  readonly held = new Map<string, bigint>();
  readonly credits = new Map<string, bigint>();
  /** Accounts that an asset refuses to pay. */
  readonly refusing: (asset: string, account: string) => boolean;

  constructor(refusing: (asset: string, account: string) => boolean) {
    this.refusing = refusing;
  }

  open(id: string, terms: { payer: string; payee: string; asset: string }, deposit: bigint): void {
    this.channels.set(id, { ...terms, deposit, settled: 0n, requestedAt: 0n, status: "open", voucher: 0n });
    this.#move(terms.asset, deposit);
  }

  topUp(id: string, amount: bigint, from: string): void {
    const channel = this.#get(id);
    channel.deposit += amount;
    if (channel.status === "closing" && from === channel.payer) Object.assign(channel, { status: "open", requestedAt: 0n });
    this.#move(channel.asset, amount);
  }

  settle(id: string, cumulative: bigint): void {
    const channel = this.#get(id);
    this.#pay(channel.asset, channel.payee, cumulative - channel.settled);
    channel.settled = cumulative;
  }

  close(id: string, cumulative: bigint): void {
    const channel = this.#get(id);
    if (cumulative > channel.settled) this.settle(id, cumulative);
    this.#pay(channel.asset, channel.payer, channel.deposit - channel.settled);
    channel.status = "closed";
  }

  requestClose(id: string, at: bigint): void {
    const channel = this.#get(id);
    if (channel.status === "open") Object.assign(channel, { status: "closing", requestedAt: at });
  }

  withdraw(id: string): void {
    this.close(id, 0n);
  }

  withdrawCredit(asset: string, account: string): bigint {
    const key = `${account}/${asset}`;
    const amount = this.credits.get(key) ?? 0n;
    this.credits.delete(key);
    this.#move(asset, -amount);
    return amount;
  }

  creditOf(account: string, asset: string): bigint {
    return this.credits.get(`${account}/${asset}`) ?? 0n;
  }

  /** What open channels and credits may still claim of an asset. */
  liabilities(asset: string): bigint {
    let sum = 0n;
    for (const channel of this.channels.values())
      if (channel.asset === asset && channel.status !== "closed") sum += channel.deposit - channel.settled;
    for (const [key, amount] of this.credits) if (key.endsWith(`/${asset}`)) sum += amount;
    return sum;
  }

  #get(id: string): ChannelEntry {
    const channel = this.channels.get(id);
    if (channel === undefined) throw new Error(`the model has no channel ${id}`);
    return channel;
  }

  #pay(asset: string, to: string, amount: bigint): void {
    if (amount === 0n) return;
    if (this.refusing(asset, to)) {
      const key = `${to}/${asset}`;
      this.credits.set(key, (this.credits.get(key) ?? 0n) + amount);
    } else {
      this.#move(asset, -amount);
    }
  }

  #move(asset: string, amount: bigint): void {
    this.held.set(asset, (this.held.get(asset) ?? 0n) + amount);
  }
}
