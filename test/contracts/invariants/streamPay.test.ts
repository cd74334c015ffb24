// The invariants S1 to S10 of README.md: actors do what they can and try what they may not, and after every step the
// contract is compared with the ledger of model.ts.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Address, encodeFunctionData, numberToHex, zeroAddress } from "viem";
import { type Call, Chain, type Contract, Refused } from "../StreamPay/chain.ts";
import { deployPair, key, signSettlement } from "../StreamPay/world.ts";
import { Chooser, RUNS, SEED, STEPS } from "./chooser.ts";
import { Model, type ModelStream } from "./model.ts";

const YEAR = 31_536_000n;
const [REJECT, ACCEPT] = [1, 0];

/** How often each function did something, over all runs: a run of nothing but refusals proves nothing. */
const succeeded = new Map<string, number>();

interface Person {
  readonly name: string;
  readonly address: Address;
  /** Undefined when the person is a contract, which cannot sign. */
  readonly index?: number;
  readonly contract?: Contract;
}

class Run {
  readonly chain: Chain;
  readonly choose: Chooser;
  readonly registry: Contract;
  readonly streamPay: Contract;
  readonly tokens: readonly Contract[];
  readonly assets: readonly Address[];
  readonly people: readonly Person[];
  readonly keeper: Address;
  readonly model: Model;
  readonly refusing = new Set<string>();
  readonly providers: { id: bigint; owner: Person; asset: Address; price: bigint; active: boolean; serviceType: number }[] = [];
  readonly accruedBefore = new Map<bigint, bigint>();
  readonly opening: Map<string, bigint> = new Map();

  private constructor(
    chain: Chain,
    choose: Chooser,
    parts: { registry: Contract; streamPay: Contract },
    tokens: Contract[],
    actors: Contract[],
  ) {
    this.chain = chain;
    this.choose = choose;
    this.registry = parts.registry;
    this.streamPay = parts.streamPay;
    this.tokens = tokens;
    this.assets = [zeroAddress, ...tokens.map(({ address }) => address)];
    const keys = [1, 2, 3].map((index) => ({ name: `account ${index}`, address: chain.accounts[index] as Address, index }));
    this.people = [...keys, ...actors.map((contract, i) => ({ name: `contract ${i}`, address: contract.address, contract }))];
    this.keeper = chain.accounts[4] as Address;
    this.model = new Model((account, asset) => !this.refusing.has(`${account}/${asset}`));
  }

  static async start(seed: number): Promise<Run> {
    const chain = await Chain.open();
    const parts = await deployPair(chain);
    const tokens = [await chain.deploy("MockToken", ["Dollar", "USD", 18]), await chain.deploy("BlocklistToken")];
    const actors = [await chain.deploy("Actor"), await chain.deploy("Actor")];
    const run = new Run(chain, new Chooser(seed), parts, tokens, actors);
    for (const person of run.people) {
      if (person.contract !== undefined) await chain.transfer(chain.accounts[8] as Address, person.address, 10n ** 27n);
      for (const token of tokens) {
        await chain.send({ from: run.keeper, to: token, fn: "mint", args: [person.address, 10n ** 27n] });
        await run.send(person, { to: token, fn: "approve", args: [parts.streamPay.address, 2n ** 256n - 1n] });
      }
    }
    for (const account of [...run.people.map(({ address }) => address), run.keeper]) {
      for (const asset of run.assets) run.opening.set(`${account}/${asset}`, await run.balanceOf(account, asset));
    }
    return run;
  }

  // Plumbing

  /** Sends as a person; a contract executes it. */
  send(person: Person, call: Omit<Call, "from">) {
    if (person.contract === undefined) return this.chain.send({ ...call, from: person.address });
    const data = encodeFunctionData({ abi: call.to.abi, functionName: call.fn, args: call.args ?? [] });
    return this.chain.send({ from: this.keeper, to: person.contract, fn: "execute", args: [call.to.address, call.value ?? 0n, data] });
  }

  async does(person: Person, fn: string, args: readonly unknown[], value = 0n): Promise<void> {
    await this.send(person, { to: this.streamPay, fn, args, value });
    succeeded.set(fn, (succeeded.get(fn) ?? 0) + 1);
  }

  /** Something that must not work: S9. */
  async refused(person: Person, fn: string, args: readonly unknown[], errorName: string, value = 0n): Promise<void> {
    const error = await this.does(person, fn, args, value).then(
      () => assert.fail(`S9: ${fn} was not refused with ${errorName}`),
      (reason: unknown) => reason,
    );
    if (!(error instanceof Refused)) throw error;
    assert.equal(error.errorName, errorName, `S9: ${fn}`);
  }

  balanceOf(account: Address, asset: Address): Promise<bigint> {
    const token = this.tokens.find(({ address }) => address === asset);
    return token === undefined ? this.chain.balance(account) : this.chain.read<bigint>(token, "balanceOf", [account]);
  }

  person(address: Address): Person {
    const person = this.people.find((one) => one.address === address);
    assert(person);
    return person;
  }

  /** Mostly a stream that is open. */
  anyId(): bigint | undefined {
    const open = [...this.model.streams].filter(([, stream]) => stream.open).map(([id]) => id);
    if (open.length > 0 && this.choose.chance(85)) return this.choose.one(open);
    return this.model.streams.size === 0 ? undefined : BigInt(1 + this.choose.below(this.model.streams.size));
  }

  // Actors

  async create(): Promise<void> {
    const { choose, model } = this;
    const payer = choose.one(this.people);
    const offer = choose.chance(50) && this.providers.length > 0 ? choose.one(this.providers) : undefined;
    const asset = offer?.asset ?? choose.one(this.assets);
    const payee = offer?.owner ?? choose.one(this.people);
    const duration = choose.one([1n, 7n, 1_000n, 86_400n, YEAR]);
    const rate = offer === undefined ? choose.amount(1n, 5_000n) : offer.price + choose.amount(0n, 3n);
    const amount = rate * duration + choose.amount(0n, duration - 1n);
    const [serviceType, providerId] = [offer?.serviceType ?? choose.below(4), offer?.id ?? 0n];
    const tail = [payee.address, duration, serviceType, providerId];
    const args = asset === zeroAddress ? tail : [asset, amount, ...tail];
    const value = asset === zeroAddress ? amount : 0n;
    if (offer?.active === false) return this.refused(payer, "createStream", args, "StreamPay_ProviderInactive", value);
    if (asset !== zeroAddress && this.refusing.has(`${payer.address}/${asset}`)) {
      return this.refused(payer, "createStream", args, "BlocklistToken_Blocked");
    }
    await this.does(payer, "createStream", args, value);
    const deposit = model.deposit(amount, duration);
    const terms = { payer: payer.address, payee: payee.address, asset, rate, start: this.chain.now, providerId, deposit };
    model.opens(terms, payer.address);
    // A remainder that cannot be pushed back is credited.
    const rest = amount - deposit;
    if (asset === zeroAddress && rest > 0n && this.refusing.has(`${payer.address}/${asset}`)) {
      model.balances.set(`${payer.address}/${asset}`, model.balanceOf(payer.address, asset) - rest);
      model.outside.set(asset, (model.outside.get(asset) ?? 0n) - rest);
      model.credits.set(`${payer.address}/${asset}`, model.creditOf(payer.address, asset) + rest);
    }
  }

  async topUp(): Promise<void> {
    const id = this.anyId();
    if (id === undefined) return;
    const stream = this.model.get(id);
    const by = this.choose.one(this.people);
    if (this.refusing.has(`${by.address}/${stream.asset}`)) return;
    const room = YEAR - (stream.start + stream.deposit / stream.rate - this.chain.now);
    const seconds = this.choose.amount(1n, 1_000n);
    const amount = stream.rate * seconds + this.choose.amount(0n, stream.rate - 1n);
    const native = stream.asset === zeroAddress;
    const args = [id, stream.payer, stream.payee, ...(native ? [] : [amount])];
    const act = () => this.does(by, "topUpStream", args, native ? amount : 0n);
    const name = !stream.open
      ? "StreamPay_UnknownStream"
      : this.model.ended(stream, this.chain.now)
        ? "StreamPay_StreamEnded"
        : seconds > room
          ? "StreamPay_DurationOutOfRange"
          : undefined;
    if (name !== undefined) {
      await assert.rejects(act(), { errorName: name });
      return;
    }
    await act();
    this.model.tops(id, by.address, amount);
  }

  async withdraw(): Promise<void> {
    const id = this.anyId();
    if (id === undefined) return;
    const stream = this.model.get(id);
    if (!stream.open) return this.refused(this.choose.one(this.people), "withdrawFromStream", [id], "StreamPay_UnknownStream");
    const payee = this.person(stream.payee);
    if (this.model.due(stream, this.chain.now) === 0n)
      return this.refused(payee, "withdrawFromStream", [id], "StreamPay_NothingToWithdraw");
    await this.does(payee, "withdrawFromStream", [id]);
    this.model.withdraws(id, this.chain.now);
  }

  async cancel(): Promise<void> {
    const id = this.anyId();
    if (id === undefined) return;
    const stream = this.model.get(id);
    const by = this.person(this.choose.one([stream.payer, stream.payee]));
    if (!stream.open) return this.refused(by, "cancelStream", [id], "StreamPay_UnknownStream");
    await this.does(by, "cancelStream", [id]);
    this.model.ends(id, by.address, this.chain.now);
  }

  async settle(): Promise<void> {
    const id = this.anyId();
    if (id === undefined) return;
    const stream = this.model.get(id);
    const index = this.person(stream.payee).index;
    if (index === undefined) return;
    const owed = this.choose.amount(0n, stream.deposit + 5n);
    const signature = await signSettlement(key(index), id, owed, this.streamPay.address);
    const payer = this.person(stream.payer);
    if (!stream.open) return this.refused(payer, "settleStream", [id, owed, signature], "StreamPay_UnknownStream");
    await this.does(payer, "settleStream", [id, owed, signature]);
    this.model.ends(id, payer.address, this.chain.now, owed);
  }

  async redirect(): Promise<void> {
    const id = this.anyId();
    if (id === undefined) return;
    const stream = this.model.get(id);
    if (!stream.open) return;
    const payer = this.person(stream.payer);
    const left = stream.deposit - this.model.accrued(stream, this.chain.now);
    const offers = this.providers.filter((offer) => offer.active && offer.asset === stream.asset);
    const offer = this.choose.chance(60) && offers.length > 0 ? this.choose.one(offers) : undefined;
    const [payee, rate] = [offer?.owner ?? this.choose.one(this.people), offer?.price ?? stream.rate];
    const args = [id, payee.address, offer?.id ?? 0n];
    if (rate > stream.rate) return this.refused(payer, "redirectStream", args, "StreamPay_PriceAboveMax");
    if (left < rate) return this.refused(payer, "redirectStream", args, "StreamPay_DepositTooSmall");
    await this.does(payer, "redirectStream", args);
    this.model.redirects(id, payee.address, rate, offer?.id ?? 0n, this.chain.now);
  }

  async update(): Promise<void> {
    const ids = Array.from({ length: this.choose.below(30) }, () => this.choose.amount(0n, BigInt(this.model.streams.size) + 2n));
    // S10: the preview shows, in this very block, what the update then does.
    const [previews] = await this.chain.read<[{ accrued: bigint; reward: bigint }[], bigint]>(this.streamPay, "previewBatchUpdate", [ids]);
    const before = this.model.rewarded;
    await this.chain.send({ from: this.keeper, to: this.streamPay, fn: "batchUpdateStreams", args: [ids] });
    this.model.updates(ids, this.keeper, this.chain.now);
    assert.equal(
      previews.reduce((sum, { reward }) => sum + reward, 0n),
      this.model.rewarded - before,
      "S10: preview and update agree",
    );
  }

  async collect(): Promise<void> {
    const [person, asset] = [this.choose.one(this.people), this.choose.one(this.assets)];
    const to = this.choose.one(this.people).address;
    if (this.model.creditOf(person.address, asset) === 0n) {
      return this.refused(person, "withdrawCredit", [asset, to], "StreamPay_NothingCredited");
    }
    if (this.refusing.has(`${to}/${asset}`)) return this.refused(person, "withdrawCredit", [asset, to], "StreamPay_TransferFailed");
    await this.does(person, "withdrawCredit", [asset, to]);
    this.model.collects(person.address, asset, to);
  }

  async donate(): Promise<void> {
    const amount = this.choose.amount(1n, 10n ** 9n);
    const token = this.choose.one([undefined, ...this.tokens]);
    if (token === undefined) {
      // Coin can be forced upon any contract; here by the chain itself.
      const balance = await this.chain.balance(this.streamPay.address);
      await this.chain.rpc("hardhat_setBalance", [this.streamPay.address, numberToHex(balance + amount)]);
      this.model.donated.set(zeroAddress, (this.model.donated.get(zeroAddress) ?? 0n) + amount);
      return;
    }
    const person = this.choose.one(this.people);
    if (this.refusing.has(`${person.address}/${token.address}`)) return;
    await this.send(person, { to: token, fn: "transfer", args: [this.streamPay.address, amount] });
    this.model.donates(person.address, token.address, amount);
  }

  /** Somebody starts or stops refusing money: a hostile contract its coin, a blocklist an account. */
  async turn(): Promise<void> {
    const person = this.choose.one(this.people);
    const blocklist = this.tokens[1];
    assert(blocklist);
    const asset = person.contract === undefined || this.choose.chance(50) ? blocklist.address : zeroAddress;
    const entry = `${person.address}/${asset}`;
    const refuse = !this.refusing.has(entry);
    if (asset === zeroAddress) {
      assert(person.contract);
      const args = [refuse ? REJECT : ACCEPT, zeroAddress, "0x"];
      await this.chain.send({ from: this.keeper, to: person.contract, fn: "setMood", args });
    } else {
      await this.chain.send({ from: this.keeper, to: blocklist, fn: "setBlocked", args: [person.address, refuse] });
    }
    if (refuse) this.refusing.add(entry);
    else this.refusing.delete(entry);
  }

  async offer(): Promise<void> {
    const { choose } = this;
    if (this.providers.length < 4 || choose.chance(20)) {
      const [owner, asset, price, serviceType] = [
        choose.one(this.people),
        choose.one(this.assets),
        choose.amount(1n, 5_000n),
        choose.below(4),
      ];
      await this.send(owner, { to: this.registry, fn: "registerProvider", args: ["model", price, "endpoint", serviceType, asset] });
      this.providers.push({ id: BigInt(this.providers.length + 1), owner, asset, price, active: true, serviceType });
      return;
    }
    const offer = choose.one(this.providers);
    [offer.price, offer.active] = [choose.amount(1n, 5_000n), choose.chance(80)];
    await this.send(offer.owner, { to: this.registry, fn: "updateProvider", args: [offer.id, offer.price, "endpoint", offer.active] });
  }

  /** Strangers try everything on a stream that is not theirs. */
  async trespass(): Promise<void> {
    const id = this.anyId();
    if (id === undefined) return;
    const stream = this.model.get(id);
    const stranger = this.people.find(({ address }) => address !== stream.payer && address !== stream.payee);
    if (stranger === undefined || !stream.open) return;
    await this.refused(stranger, "cancelStream", [id], "StreamPay_NotParty");
    await this.refused(stranger, "withdrawFromStream", [id], "StreamPay_NotPayee");
    await this.refused(stranger, "redirectStream", [id, stranger.address, 0n], "StreamPay_NotPayer");
    await this.refused(stranger, "settleStream", [id, 0n, "0x"], "StreamPay_NotPayer");
    await this.refused(this.person(stream.payer), "settleStream", [id, 0n, "0x"], "StreamPay_BadSettlementSignature");
  }

  async step(): Promise<void> {
    this.chain.pass(this.choose.one([0, 0, 1, 1, 5, 60, 3_600, 200_000]));
    const acts = [
      ...[
        this.create,
        this.create,
        this.create,
        this.topUp,
        this.topUp,
        this.withdraw,
        this.withdraw,
        this.cancel,
        this.settle,
        this.redirect,
      ],
      ...[this.update, this.update, this.collect, this.donate, this.turn, this.offer, this.trespass],
    ];
    await this.choose.one(acts).call(this);
  }

  // Properties

  async check(): Promise<void> {
    const { model, chain } = this;
    for (const asset of this.assets) {
      const held = await this.balanceOf(this.streamPay.address, asset);
      const gifts = model.donated.get(asset) ?? 0n;
      assert.equal(held, model.held(asset) + gifts, "S1: held = deposits - payouts + gifts");
      assert.equal(model.liabilities(asset), held - gifts, "S2: liabilities = holdings less gifts");
      for (const account of [...this.people.map(({ address }) => address), this.keeper]) {
        assert.equal(await chain.read(this.streamPay, "creditOf", [account, asset]), model.creditOf(account, asset), "S6: credits");
        const opening = this.opening.get(`${account}/${asset}`) ?? 0n;
        assert.equal(await this.balanceOf(account, asset), opening + model.balanceOf(account, asset), "S1: balances of everybody");
      }
    }
    for (const [id, stream] of model.streams) await this.checkStream(id, stream);
    assert(model.rewarded * 1_000n <= model.accruedByKeepers, "S7: keepers get at most a thousandth");
    for (const { id } of this.providers) {
      const { completions, earned } = await chain.read<{ completions: bigint; earned: bigint }>(this.registry, "getProvider", [id]);
      assert.deepEqual(
        { completions, earned },
        model.earned.get(id) ?? { completions: 0n, earned: 0n },
        "S8: completions are money that moved",
      );
    }
  }

  async checkStream(id: bigint, stream: ModelStream): Promise<void> {
    const { model, chain } = this;
    const now = chain.now;
    const due = model.due(stream, now);
    const accrued = model.accrued(stream, now);
    assert.equal(await chain.read(this.streamPay, "getCurrentBalance", [id]), due, "S3: what is due");
    if (stream.open) {
      assert(accrued >= (this.accruedBefore.get(id) ?? 0n), "S3: accrued never falls");
      assert(accrued <= stream.deposit && stream.paid <= accrued, "S3: paid <= accrued <= deposit");
      this.accruedBefore.set(id, accrued);
    }
    const status = !stream.open ? 3 : model.ended(stream, now) ? 2 : 1;
    assert.equal(await chain.read(this.streamPay, "statusOf", [id]), status, "S4, S5: status; closed stays closed");
    const view = await chain.read<Record<string, unknown>>(this.streamPay, "getStream", [id]);
    const end = stream.start + stream.deposit / stream.rate;
    const lastPaid = stream.start + stream.paid / stream.rate;
    const { payer, payee, asset, rate, start, providerId } = stream;
    const open = {
      payer,
      payee,
      asset,
      ratePerSecond: rate,
      start: Number(start),
      end: Number(end),
      lastPaid: Number(lastPaid),
      providerId: Number(providerId),
    };
    assert.deepEqual(view, stream.open ? open : CLOSED, "S5: terms are the opening's, whatever the provider's price is now");
  }

  /** S4: everybody gets out in one transaction, and what is left is the gifts. */
  async leave(): Promise<void> {
    for (const [id, stream] of this.model.streams) {
      if (!stream.open) continue;
      const by = this.person(this.choose.one([stream.payer, stream.payee]));
      await this.does(by, "cancelStream", [id]);
      this.model.ends(id, by.address, this.chain.now);
    }
    for (const person of [...this.people, { name: "keeper", address: this.keeper }]) {
      for (const asset of this.assets) {
        if (this.model.creditOf(person.address, asset) === 0n) continue;
        const to = [...this.people.map(({ address }) => address), this.keeper].find((one) => !this.refusing.has(`${one}/${asset}`));
        assert(to);
        await this.does(person, "withdrawCredit", [asset, to]);
        this.model.collects(person.address, asset, to);
      }
    }
    await this.check();
    for (const asset of this.assets) {
      assert.equal(
        await this.balanceOf(this.streamPay.address, asset),
        this.model.donated.get(asset) ?? 0n,
        "S4: nothing is left but gifts",
      );
    }
  }
}

const CLOSED = {
  payer: zeroAddress,
  payee: zeroAddress,
  asset: zeroAddress,
  ratePerSecond: 0n,
  start: 0,
  end: 0,
  lastPaid: 0,
  providerId: 0,
};

describe("StreamPay's invariants", () => {
  for (let run = 0; run < RUNS; run++) {
    const seed = SEED + run;
    it(`hold whatever actors do (seed ${seed})`, async () => {
      const world = await Run.start(seed);
      for (let step = 0; step < STEPS; step++) {
        try {
          await world.step();
          if (step % 4 === 0) await world.check();
        } catch (error) {
          throw new Error(`seed ${seed}, step ${step}: ${(error as Error).message}`, { cause: error });
        }
      }
      await world.check();
      await world.leave();
    });
  }

  it("were tried on every function", () => {
    const functions = [
      "createStream",
      "topUpStream",
      "withdrawFromStream",
      "cancelStream",
      "settleStream",
      "redirectStream",
      "withdrawCredit",
    ];
    for (const fn of functions) assert((succeeded.get(fn) ?? 0) >= RUNS, `${fn} succeeded ${succeeded.get(fn) ?? 0} times`);
  });
});
