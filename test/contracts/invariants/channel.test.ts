// The invariants of channel.md, against the ledger of channel-model.ts.
import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { type Address, type Hash, type Hex, zeroAddress } from "viem";

import { payeeAuthorization, tokenAuthorization, voucher } from "../PaymentChannel/signing.ts";
import {
  freshSalt,
  idOf,
  load,
  networkHelpers,
  publicClient,
  type Terms,
  terms,
  viem,
  type Wallet,
  type World,
} from "../PaymentChannel/world.ts";
import { ChannelModel, graceSeconds } from "./channel-model.ts";

const steps = Number(process.env.INVARIANT_STEPS ?? 150);
const seeds = (process.env.INVARIANT_SEEDS ?? "1").split(",").map(Number);
const never = 2n ** 40n;
const gas = 1_000_000n;

/** A small generator of repeatable choices (mulberry32). */
function chooser(seed: number) {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t ^= t + Math.imul(t ^ (t >>> 7), 61 | t);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    below: (limit: number) => Math.floor(next() * limit),
    amount: (max: bigint) => BigInt(Math.floor(next() * (Number(max) + 1))),
    one: <T>(list: readonly T[]): T => {
      const item = list[Math.floor(next() * list.length)];
      assert(item !== undefined);
      return item;
    },
    chance: (of: number) => next() < of,
  };
}

class Run {
  readonly terms = new Map<Hex, Terms>();
  readonly closed = new Map<Hex, unknown>();
  readonly donated = new Map<Address, bigint>();
  readonly blocked = new Set<Address>();
  readonly providers = new Map<Address, bigint>();
  readonly earned = new Map<bigint, { completions: bigint; earned: bigint }>();
  readonly totals = new Map<Hex, { deposit: bigint; settled: bigint }>();
  readonly model: ChannelModel;
  readonly wallets: readonly Wallet[];
  readonly assets: readonly Address[];
  readonly w: World;
  readonly choose: ReturnType<typeof chooser>;
  nonce = 0n;
  now = 0n;

  constructor(w: World, seed: number) {
    this.w = w;
    this.choose = chooser(seed);
    this.wallets = [w.payer, w.payee, w.stranger];
    this.assets = [zeroAddress, w.usd18.address, w.blocklist.address];
    this.model = new ChannelModel((asset, account) => asset === w.blocklist.address && this.blocked.has(account as Address));
  }

  async prepare(): Promise<void> {
    this.now = BigInt(await networkHelpers.time.latest());
    for (const wallet of this.wallets) {
      const owner = wallet.account.address;
      await this.w.usd18.write.mint([owner, 10n ** 24n]);
      for (const token of [this.w.usd18, this.w.blocklist as unknown as World["usd18"]]) {
        await token.write.mint([owner, 10n ** 24n]);
        await token.write.approve([this.w.channel.address, 2n ** 255n], { account: wallet.account });
      }
      await this.w.registry.write.registerProvider(["model", 1n, "https://provider.example", 0, this.w.usd18.address], {
        account: wallet.account,
      });
      const id = (await this.w.registry.read.getRegistryStats())[0];
      this.providers.set(owner, id);
      this.earned.set(id, { completions: 0n, earned: 0n });
    }
    this.now = BigInt(await networkHelpers.time.latest());
  }

  /** The next transaction is in a block of a known time. */
  async tick(seconds = 1n): Promise<void> {
    this.now += seconds;
    await networkHelpers.time.setNextBlockTimestamp(this.now);
  }

  async succeeds(send: () => Promise<Hash>): Promise<void> {
    await this.tick();
    await send();
  }

  async refused(name: string, send: () => Promise<Hash>): Promise<void> {
    await this.tick();
    await viem.assertions.revertWithCustomError(send(), this.w.channel, name as "PaymentChannel_NotPayee");
  }

  wallet(address: Address): Wallet {
    const wallet = this.wallets.find(({ account }) => account.address.toLowerCase() === address.toLowerCase());
    assert(wallet, address);
    return wallet;
  }

  entry(id: Hex) {
    const entry = this.model.channels.get(id);
    const t = this.terms.get(id);
    assert(entry && t);
    return { entry, t };
  }

  async open(): Promise<void> {
    const { w, choose } = this;
    const payer = choose.one(this.wallets);
    const asset = choose.one(this.assets);
    const t: Terms = {
      payer: payer.account.address,
      payee: choose.one(this.wallets).account.address,
      token: asset,
      salt: freshSalt(),
      authorizedSigner: choose.chance(0.7) ? w.hot.account.address : zeroAddress,
    };
    const deposit = 1n + choose.amount(1000n);
    const send = () =>
      w.channel.write.open([t.payee, t.token, deposit, t.salt, t.authorizedSigner], {
        account: payer.account,
        gas,
        value: asset === zeroAddress ? deposit : 0n,
      });
    if (asset === w.blocklist.address && (this.blocked.has(t.payer) || this.blocked.has(w.channel.address))) {
      await this.tick();
      await viem.assertions.revertWithCustomError(send(), w.blocklist, "BlocklistToken_Blocked");
      return;
    }
    await this.succeeds(send);
    const id = await idOf(w.channel, t);
    this.terms.set(id, t);
    this.model.open(id, { payer: t.payer, payee: t.payee, asset }, deposit);
    await this.refused("PaymentChannel_ChannelAlreadyExists", send);
  }

  async pay(id: Hex): Promise<void> {
    const { w, choose, model } = this;
    const { entry, t } = this.entry(id);
    const amount =
      choose.chance(0.8) && entry.deposit > entry.settled
        ? entry.settled + 1n + choose.amount(entry.deposit - entry.settled - 1n)
        : choose.amount(entry.deposit + 2n);
    const signer = t.authorizedSigner === zeroAddress ? this.wallet(t.payer) : w.hot;
    const honest = choose.chance(0.9);
    const signature = await voucher(w.channel.address, honest ? signer : w.relayer, id, amount);
    const closing = choose.chance(0.25);
    const way = choose.below(3);
    const caller = choose.chance(0.9) ? this.wallet(t.payee) : choose.one(this.wallets);
    const provider = way === 1 && t.token === w.usd18.address && choose.chance(0.8) ? (this.providers.get(t.payee) ?? 0n) : 0n;
    const nonce = ++this.nonce;
    const kind = closing ? "CloseAuthorization" : "SettleAuthorization";
    const authorization = await payeeAuthorization(w.channel.address, kind, caller, {
      channelId: id,
      cumulativeAmount: amount,
      nonce,
      deadline: never,
    });
    const options = { account: way === 2 ? w.relayer.account : caller.account, gas };
    const { write } = w.channel;
    const send = (): Promise<Hash> => {
      const withTerms = [t, amount, signature, provider] as const;
      const relayed = [id, amount, nonce, never, authorization, signature] as const;
      if (way === 0) return closing ? write.close([id, amount, signature], options) : write.settle([id, amount, signature], options);
      if (way === 1) return closing ? write.close(withTerms, options) : write.settle(withTerms, options);
      return closing ? write.closeWithAuthorization(relayed, options) : write.settleWithAuthorization(relayed, options);
    };
    const isPayee = caller.account.address === t.payee;
    const adds = amount > entry.settled;
    if (entry.status === "closed") return this.refused("PaymentChannel_ChannelFinalized", send);
    if (!isPayee) return this.refused(way === 2 ? "PaymentChannel_InvalidSignature" : "PaymentChannel_NotPayee", send);
    if (!adds && !closing) return this.refused("PaymentChannel_AmountNotIncreasing", send);
    if (adds && amount > entry.deposit) return this.refused("PaymentChannel_AmountExceedsDeposit", send);
    if (adds && !honest) return this.refused("PaymentChannel_InvalidSignature", send);
    const before = entry.settled;
    if (amount > entry.voucher && honest) entry.voucher = amount;
    await this.succeeds(send);
    if (closing) model.close(id, amount);
    else model.settle(id, amount);
    const record = this.earned.get(provider);
    if (record && entry.settled > before) {
      record.completions += 1n;
      record.earned += entry.settled - before;
    }
  }

  async topUp(id: Hex): Promise<void> {
    const { w, choose } = this;
    const { entry, t } = this.entry(id);
    const amount = 1n + choose.amount(200n);
    const from = choose.chance(0.8) ? this.wallet(t.payer) : choose.one(this.wallets);
    const address = from.account.address;
    if (t.token === w.usd18.address && choose.chance(0.5)) {
      const salt = freshSalt();
      const nonce = await w.channel.read.topUpNonce([id, amount, address, salt]);
      const signature = await tokenAuthorization(w.usd18, "Dollar", from, {
        from: address,
        to: w.channel.address,
        value: amount,
        validAfter: 0n,
        validBefore: never,
        nonce,
      });
      const send = () =>
        w.channel.write.topUpWithAuthorization([id, amount, address, salt, 0n, never, nonce, signature], {
          account: w.relayer.account,
          gas,
        });
      if (entry.status === "closed") return this.refused("PaymentChannel_ChannelFinalized", send);
      await this.succeeds(send);
      this.model.topUp(id, amount, address);
      return;
    }
    const send = () => w.channel.write.topUp([id, amount], { account: from.account, gas, value: t.token === zeroAddress ? amount : 0n });
    if (entry.status === "closed") return this.refused("PaymentChannel_ChannelFinalized", send);
    if (address !== t.payer) return this.refused("PaymentChannel_NotPayer", send);
    if (t.token === w.blocklist.address && this.blocked.has(t.payer)) {
      await this.tick();
      await viem.assertions.revertWithCustomError(send(), w.blocklist, "BlocklistToken_Blocked");
      return;
    }
    await this.succeeds(send);
    this.model.topUp(id, amount, address);
  }

  async leave(id: Hex): Promise<void> {
    const { w, choose } = this;
    const { entry, t } = this.entry(id);
    const from = choose.chance(0.85) ? this.wallet(t.payer) : choose.one(this.wallets);
    const isPayer = from.account.address === t.payer;
    const options = { account: from.account, gas };
    if (choose.chance(0.5)) {
      const send = () => w.channel.write.requestClose([id], options);
      if (entry.status === "closed") return this.refused("PaymentChannel_ChannelFinalized", send);
      if (!isPayer) return this.refused("PaymentChannel_NotPayer", send);
      await this.succeeds(send);
      this.model.requestClose(id, this.now);
      return;
    }
    const send = () => w.channel.write.withdraw([id], options);
    if (entry.status === "closed") return this.refused("PaymentChannel_ChannelFinalized", send);
    if (!isPayer) return this.refused("PaymentChannel_NotPayer", send);
    if (entry.status !== "closing" || this.now + 1n < entry.requestedAt + graceSeconds)
      return this.refused("PaymentChannel_CloseNotReady", send);
    await this.succeeds(send);
    this.model.withdraw(id);
  }

  async collect(asset: Address, wallet: Wallet): Promise<void> {
    const { w } = this;
    const account = wallet.account.address;
    const send = () => w.channel.write.withdrawCredit([asset, w.deployer.account.address], { account: wallet.account, gas });
    if (this.model.creditOf(account, asset) === 0n) return this.refused("PaymentChannel_NothingCredited", send);
    await this.succeeds(send);
    this.model.withdrawCredit(asset, account);
  }

  async donate(): Promise<void> {
    const asset = this.choose.one([this.w.usd18, this.w.blocklist as unknown as World["usd18"]]);
    await this.tick();
    await asset.write.mint([this.w.channel.address, 13n]);
    this.donated.set(asset.address, (this.donated.get(asset.address) ?? 0n) + 13n);
  }

  async block(): Promise<void> {
    const account = this.choose.one(this.wallets).account.address;
    const blocked = !this.blocked.has(account);
    await this.tick();
    await this.w.blocklist.write.setBlocked([account, blocked]);
    if (blocked) this.blocked.add(account);
    else this.blocked.delete(account);
  }

  async step(): Promise<Hex | undefined> {
    const { choose } = this;
    const ids = [...this.terms.keys()];
    const what = choose.below(20);
    if (ids.length === 0 || what < 3) return void (await this.open());
    const id = choose.chance(0.7) ? choose.one(ids.slice(-4)) : choose.one(ids);
    if (what < 10) await this.pay(id);
    else if (what < 12) await this.topUp(id);
    else if (what < 15) await this.leave(id);
    else if (what < 17) await this.tick(choose.amount(graceSeconds));
    else if (what < 18) await this.collect(choose.one(this.assets), choose.one(this.wallets));
    else if (what < 19) await this.donate();
    else await this.block();
    return id;
  }

  async holdings(asset: Address): Promise<bigint> {
    if (asset === zeroAddress) return publicClient.getBalance({ address: this.w.channel.address });
    return (await viem.getContractAt("MockToken", asset)).read.balanceOf([this.w.channel.address]);
  }

  /** C1 to C7; the channels named, or all of them. */
  async check(ids: readonly Hex[]): Promise<void> {
    const { w, model } = this;
    for (const asset of this.assets) {
      const donated = this.donated.get(asset) ?? 0n;
      assert.equal(await this.holdings(asset), (model.held.get(asset) ?? 0n) + donated, "C1");
      assert.equal(model.liabilities(asset), model.held.get(asset) ?? 0n, "C2");
      for (const { account } of this.wallets)
        assert.equal(await w.channel.read.creditOf([account.address, asset]), model.creditOf(account.address, asset), "C6");
    }
    for (const id of ids) {
      const { entry, t } = this.entry(id);
      const told = await w.channel.read.getChannel([id]);
      assert(told.settled <= entry.voucher && entry.voucher <= told.deposit, "C3");
      const last = this.totals.get(id) ?? { deposit: 0n, settled: 0n };
      assert(told.deposit >= last.deposit && told.settled >= last.settled, "C3");
      this.totals.set(id, told);
      if (this.closed.has(id)) assert.deepEqual(told, this.closed.get(id), "C4");
      if (told.finalized) this.closed.set(id, told);
      const { salt: _, ...parties } = terms(w, t);
      const pending = entry.status === "closed" ? told.closeRequestedAt : entry.requestedAt;
      assert.deepEqual(
        told,
        { ...parties, deposit: entry.deposit, settled: entry.settled, closeRequestedAt: pending, finalized: entry.status === "closed" },
        "C5",
      );
      assert.equal(await w.channel.read.statusOf([id]), ["unknown", "open", "closing", "closed"].indexOf(entry.status), "C5");
    }
    for (const [id, expected] of this.earned) {
      const { completions, earned } = await w.registry.read.getProvider([id]);
      assert.deepEqual({ completions, earned }, expected, "C7");
    }
  }

  /** C9: everybody leaves. */
  async leaveAll(): Promise<void> {
    const { w, choose, model } = this;
    for (const id of this.terms.keys()) {
      const { entry } = this.entry(id);
      if (entry.status === "closed") continue;
      if (choose.chance(0.5)) {
        await this.succeeds(() => w.channel.write.close([id, 0n, "0x"], { account: this.wallet(entry.payee as Address).account, gas }));
        model.close(id, 0n);
        continue;
      }
      const options = { account: this.wallet(entry.payer as Address).account, gas };
      await this.succeeds(() => w.channel.write.requestClose([id], options));
      model.requestClose(id, this.now);
      await this.tick(graceSeconds);
      await networkHelpers.mine(1);
      await this.succeeds(() => w.channel.write.withdraw([id], options));
      model.withdraw(id);
    }
    for (const asset of this.assets) for (const wallet of this.wallets) await this.collect(asset, wallet);
    await this.check([...this.terms.keys()]);
    for (const asset of this.assets) assert.equal(await this.holdings(asset), this.donated.get(asset) ?? 0n, "C9");
  }
}

describe("channel invariants", () => {
  for (const seed of seeds) {
    it(`hold over ${steps} steps of seed ${seed}`, async () => {
      const run = new Run(await load(), seed);
      await run.prepare();
      for (let i = 0; i < steps; i++) {
        try {
          const id = await run.step();
          await run.check(id === undefined ? [...run.terms.keys()].slice(-1) : [id]);
        } catch (cause) {
          throw new Error(`seed ${seed}, step ${i}: ${(cause as Error).message}`, { cause });
        }
      }
      await run.check([...run.terms.keys()]);
      await run.leaveAll();
      assert([...run.model.channels.values()].length > 5, "the run opened channels");
    });
  }
});
