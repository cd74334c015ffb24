// Recipients, wallets and tokens that refuse, burn gas, flood, lie or call back: P2, P15.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeFunctionData, type Hex, toFunctionSelector } from "viem";
import { type AssetKind, build, type ContractParty, fresh, inAsset, MOODS, recorded, type World } from "../StreamPay/world.ts";

const cancelling = (w: World, id: bigint, from = w.parties.payer) => w.call(from, "cancelStream", [id]);
const cancelled = (id: bigint, by: string, paid: bigint, refunded: bigint) => ["StreamCancelled", { id, by, paid, refunded }] as const;
const GUARD = toFunctionSelector("ReentrancyGuardReentrantCall()");
const HOSTILE = MOODS.filter((mood) => mood !== "ACCEPT");

const withToken = (name: string, kind: AssetKind = "18 decimals") => fresh(() => build(kind, [name, []]));

/** Opens a stream from one contract to another and lets 300 of its 1000 seconds pass. */
async function openBetweenContracts(w: World): Promise<bigint> {
  const { contractPayer, contractPayee } = w.parties;
  if (w.token !== undefined) {
    const approve = { from: w.parties.stranger, to: w.token, fn: "approve", args: [w.streamPay.address, 2n ** 255n] };
    await w.chain.send(w.through("contractPayer", approve));
  }
  await w.chain.send(w.through("contractPayer", w.opening({ from: contractPayer, recipient: contractPayee })));
  w.chain.pass(300);
  return w.read<bigint>("getProtocolStats");
}

describe("finding 2: a party blocks the other's exit by refusing its own payment", () => {
  const world = withToken("BlocklistToken", "6 decimals");

  const block = async (w: World, account: string) => {
    assert(w.token);
    await w.chain.send({ from: w.parties.stranger, to: w.token, fn: "setBlocked", args: [account, true] });
  };

  it("a blocked payee does not hold the payer's refund", async () => {
    const w = world();
    const id = await w.open();
    w.chain.pass(300);
    await block(w, w.parties.payee);
    const [paid, refunded] = [w.rate * 300n, w.rate * 700n];
    await w.expect(cancelling(w, id), {
      events: [cancelled(id, w.parties.payer, paid, refunded), w.credited("payee", paid)],
      balances: { payer: refunded },
      credits: { payee: paid },
    });
    await w.refuses(w.call(w.parties.payee, "withdrawCredit", [w.asset, w.parties.payee]), "StreamPay_TransferFailed", [
      w.parties.payee,
      paid,
    ]);
    await w.expect(w.call(w.parties.payee, "withdrawCredit", [w.asset, w.parties.rival]), {
      events: [["CreditWithdrawn", { account: w.parties.payee, asset: w.asset, to: w.parties.rival, amount: paid }]],
      balances: { rival: paid },
      credits: { payee: -paid },
    });
  });

  it("a blocked payer does not hold the payee's money, nor its own", async () => {
    const w = world();
    const ids = [await w.open(), await w.open()] as const;
    w.chain.pass(300);
    await block(w, w.parties.payer);
    const [paid, refunded] = [w.rate * 300n, w.rate * 700n];
    await w.expect(cancelling(w, ids[0], w.parties.payee), {
      events: [cancelled(ids[0], w.parties.payee, paid, refunded), w.credited("payer", refunded)],
      balances: { payee: paid },
      credits: { payer: refunded },
    });
    await w.expect(cancelling(w, ids[1]), {
      events: [cancelled(ids[1], w.parties.payer, paid, refunded), w.credited("payee", paid), w.credited("payer", refunded)],
      credits: { payee: paid, payer: refunded },
    });
  });

  it("a keeper that is blocked, or whose payee is, still settles the batch", async () => {
    const w = world();
    const ids = [await w.open(), await w.open({ recipient: w.parties.rival })];
    w.chain.pass(300);
    await block(w, w.parties.payee);
    await block(w, w.parties.keeper);
    const done = await w.chain.send(w.call(w.parties.keeper, "batchUpdateStreams", [ids]));
    assert.equal(w.chain.events(done, w.streamPay).filter(({ name }) => name === "StreamUpdated").length, 2);
    const accrued = w.rate * 300n;
    assert.equal(await w.credit(w.parties.keeper), (accrued / 1_000n) * 2n);
    assert.equal(await w.credit(w.parties.payee), accrued - accrued / 1_000n);
  });
});

describe("findings 3 and 5, hostage refund: a recipient that reverts, burns gas, floods or calls back", () => {
  const world = inAsset("native coin");
  const call = (w: World, fn: string, args: readonly unknown[]): Hex =>
    encodeFunctionData({ abi: w.streamPay.abi, functionName: fn, args });

  for (const mood of HOSTILE) {
    it(`as the other party, does not keep the caller from its money (${mood})`, async () => {
      const w = world();
      for (const [by, other] of [
        ["contractPayer", "contractPayee"],
        ["contractPayee", "contractPayer"],
      ] as const) {
        const id = await openBetweenContracts(w);
        await w.setMood(other, mood, w.streamPay.address, call(w, "cancelStream", [id]));
        const shares = { contractPayee: w.rate * 300n, contractPayer: w.rate * 700n };
        const { gasUsed } = await w.expect(w.through(by, cancelling(w, id)), {
          events: [cancelled(id, w.parties[by], shares.contractPayee, shares.contractPayer), w.credited(other, shares[other])],
          balances: { [by]: shares[by] },
          credits: { [other]: shares[other] },
        });
        // Nothing of the other party ran.
        assert(gasUsed < 110_000n, `${gasUsed}`);
        await w.setMood(other, "ACCEPT");
      }
    });
  }

  for (const mood of HOSTILE.filter((one) => one !== "REENTER")) {
    it(`as the caller, is credited and the exit still works (${mood})`, async () => {
      const w = world();
      for (const by of ["contractPayer", "contractPayee"] as const) {
        const id = await openBetweenContracts(w);
        await w.setMood(by, mood);
        const other: ContractParty = by === "contractPayer" ? "contractPayee" : "contractPayer";
        const shares = { contractPayee: w.rate * 300n, contractPayer: w.rate * 700n };
        const { gasUsed } = await w.expect(w.through(by, cancelling(w, id)), {
          events: [
            cancelled(id, w.parties[by], shares.contractPayee, shares.contractPayer),
            w.credited(other, shares[other]),
            w.credited(by, shares[by]),
          ],
          credits: shares,
        });
        assert(gasUsed < 400_000n, `${gasUsed}`);
        await w.setMood(by, "ACCEPT");
      }
    });

    it(`as the caller, still withdraws (${mood})`, async () => {
      const w = world();
      const id = await openBetweenContracts(w);
      await w.setMood("contractPayee", mood);
      const amount = w.rate * 300n;
      await w.expect(w.through("contractPayee", w.call(w.parties.contractPayee, "withdrawFromStream", [id])), {
        events: [["StreamWithdrawn", { id, payee: w.parties.contractPayee, amount }], w.credited("contractPayee", amount)],
        credits: { contractPayee: amount },
      });
    });
  }

  it("as a payee among others, does not run in a keeper's batch at all", async () => {
    const w = world();
    const bad = await w.open({ recipient: w.parties.contractPayee });
    const good = await w.open();
    await w.setMood("contractPayee", "BURN_GAS");
    w.chain.pass(300);
    const accrued = w.rate * 300n;
    const payout = accrued - accrued / 1_000n;
    const updated = (id: bigint) => ["StreamUpdated", { id, accrued, reward: accrued / 1_000n, completed: false }] as const;
    const { gasUsed } = await w.expect(w.call(w.parties.keeper, "batchUpdateStreams", [[bad, good]]), {
      events: [updated(bad), updated(good), w.credited("contractPayee", payout), w.credited("payee", payout)],
      balances: { keeper: (accrued / 1_000n) * 2n },
      credits: { contractPayee: payout, payee: payout },
    });
    assert(gasUsed < 150_000n, `${gasUsed}`);
  });
});

describe("re-entrancy through coins and hook tokens", () => {
  const entries = (w: World, id: bigint): readonly (readonly [string, readonly unknown[]])[] => [
    ["cancelStream", [id]],
    ["withdrawFromStream", [id]],
    ["withdrawCredit", [w.asset, w.parties.contractPayee]],
    ["settleStream", [id, 0n, "0x"]],
    ["redirectStream", [id, w.parties.contractPayee, 0n]],
    ["redirectStream", [id, w.parties.contractPayee, 0n, 1n]],
    ["batchUpdateStreams", [[id]]],
    ["createStream", [w.parties.contractPayee, 1n, 0, 0n]],
    ["createStream", [w.asset, 1n, w.parties.contractPayee, 1n, 0, 0n]],
    ["createStreamWithPermit", [w.asset, 1n, w.parties.contractPayee, 1n, 0, 0n, 0n, 27, `0x${"00".repeat(32)}`, `0x${"00".repeat(32)}`]],
    [
      "createStreamWithAuthorization",
      [w.parties.payer, w.asset, 1n, w.parties.contractPayee, 1n, 0, 0n, 0n, 0n, `0x${"00".repeat(32)}`, "0x"],
    ],
    ["topUpStream", [id, w.parties.contractPayer, w.parties.contractPayee]],
    ["topUpStream", [id, w.parties.contractPayer, w.parties.contractPayee, 1n]],
  ];

  for (const [name, world] of [
    ["coin", inAsset("native coin")],
    ["a hook token", withToken("HookToken")],
  ] as const) {
    it(`every function refuses to be entered while ${name} is on its way`, async () => {
      const w = world();
      for (const i of entries(w, 1n).keys()) {
        const id = await openBetweenContracts(w);
        const [fn, args] = entries(w, id)[i] as [string, unknown[]];
        await w.setMood(
          "contractPayee",
          "REENTER",
          w.streamPay.address,
          encodeFunctionData({ abi: w.streamPay.abi, functionName: fn, args }),
        );
        const amount = w.rate * 300n;
        await w.expect(w.through("contractPayee", w.call(w.parties.contractPayee, "withdrawFromStream", [id])), {
          events: [["StreamWithdrawn", { id, payee: w.parties.contractPayee, amount }]],
          balances: { contractPayee: amount },
        });
        assert.equal(await w.chain.read(w.contracts.contractPayee, "reentered"), false, fn);
        assert.equal(await w.chain.read(w.contracts.contractPayee, "reentryResult"), GUARD, fn);
        await w.setMood("contractPayee", "ACCEPT");
      }
    });
  }

  it("a payer whose token calls back while it deposits cannot spend the deposit twice", async () => {
    const w = withHook();
    await openBetweenContracts(w);
    const cancel = encodeFunctionData({ abi: w.streamPay.abi, functionName: "cancelStream", args: [2n] });
    await w.setMood("contractPayer", "REENTER", w.streamPay.address, cancel);
    const terms = { from: w.parties.contractPayer };
    await w.expect(w.through("contractPayer", w.opening(terms)), {
      events: [w.created(2n, terms)],
      balances: { contractPayer: -w.rate * 1_000n },
    });
    assert.equal(await w.chain.read(w.contracts.contractPayer, "reentryResult"), GUARD);
  });
  const withHook = withToken("HookToken");
});

describe("tokens that lie, burn gas or flood on the way out", () => {
  const world = withToken("MoodyToken");
  const moods = { "returns false": 1, "returns two": 2, "returns one byte": 3, "burns gas": 4, floods: 5 };

  for (const [name, mood] of Object.entries(moods)) {
    it(`does not block an exit and loses nothing (${name})`, async () => {
      const w = world();
      assert(w.token);
      const ids = [await w.open(), await w.open(), await w.open()] as const;
      w.chain.pass(300);
      await w.chain.send({ from: w.parties.stranger, to: w.token, fn: "setMood", args: [mood] });
      const [paid, refunded] = [w.rate * 300n, w.rate * 700n];
      const { gasUsed } = await w.expect(cancelling(w, ids[0]), {
        events: [cancelled(ids[0], w.parties.payer, paid, refunded), w.credited("payee", paid), w.credited("payer", refunded)],
        credits: { payer: refunded, payee: paid },
      });
      assert(gasUsed < 400_000n, `${gasUsed}`);
      await w.expect(w.call(w.parties.payee, "withdrawFromStream", [ids[1]]), {
        events: [["StreamWithdrawn", { id: ids[1], payee: w.parties.payee, amount: paid }], w.credited("payee", paid)],
        credits: { payee: paid },
      });
      const payout = paid - paid / 1_000n;
      await w.expect(w.call(w.parties.keeper, "batchUpdateStreams", [[ids[2]]]), {
        events: [
          ["StreamUpdated", { id: ids[2], accrued: paid, reward: paid / 1_000n, completed: false }],
          w.credited("payee", payout),
          w.credited("keeper", paid / 1_000n),
        ],
        credits: { payee: payout, keeper: paid / 1_000n },
      });
      if (mood !== moods["burns gas"]) {
        await w.refuses(w.call(w.parties.payer, "withdrawCredit", [w.asset, w.parties.payer]), "StreamPay_TransferFailed", [
          w.parties.payer,
          refunded,
        ]);
      }
      await w.chain.send({ from: w.parties.stranger, to: w.token, fn: "setMood", args: [0] });
      await w.expect(w.call(w.parties.payer, "withdrawCredit", [w.asset, w.parties.payer]), {
        events: [["CreditWithdrawn", { account: w.parties.payer, asset: w.asset, to: w.parties.payer, amount: refunded }]],
        balances: { payer: refunded },
        credits: { payer: -refunded },
      });
    });
  }

  it("does not block an exit when its code is gone", async () => {
    const w = world();
    const id = await w.open();
    w.chain.pass(300);
    const code = await w.chain.rpc("eth_getCode", [w.asset, "latest"]);
    await w.chain.rpc("hardhat_setCode", [w.asset, "0x"]);
    await w.chain.send(cancelling(w, id));
    assert.equal(await w.credit(w.parties.payer), w.rate * 700n);
    assert.equal(await w.credit(w.parties.payee), w.rate * 300n);
    await w.chain.rpc("hardhat_setCode", [w.asset, code]);
    assert.equal(await w.liabilities(), await w.balanceOf(w.streamPay.address));
  });
});

describe("finding 4: gas as a weapon", () => {
  const world = inAsset("native coin");

  it("a caller that sends too little gas cannot end a stream without its record", async () => {
    const w = world();
    const providerId = await w.provide();
    let [succeeded, failed] = [0, 0];
    for (let gas = 45_000n; gas < 140_000n; gas += 500n) {
      const restore = await w.chain.snapshot();
      const id = await w.open({ providerId });
      w.chain.pass(300);
      const outcome = await w.chain.send({ ...cancelling(w, id), gas }).catch(() => undefined);
      if (outcome === undefined) failed++;
      else {
        succeeded++;
        const events = w.chain.events(outcome, w.registry, w.streamPay);
        assert.deepEqual([events[0]?.name, events[0]?.args], recorded(providerId, w.rate * 300n));
      }
      await restore();
    }
    assert(succeeded > 20 && failed > 20, `${succeeded} ${failed}`);
  });

  it("nor a keeper a batch", async () => {
    const w = world();
    const providerId = await w.provide();
    let [succeeded, failed] = [0, 0];
    for (let gas = 45_000n; gas < 160_000n; gas += 500n) {
      const restore = await w.chain.snapshot();
      // A rate so small that no reward is pushed after the record.
      const id = await w.open({ providerId });
      w.chain.pass(300);
      const outcome = await w.chain.send({ ...w.call(w.parties.keeper, "batchUpdateStreams", [[id]]), gas }).catch(() => undefined);
      if (outcome === undefined) failed++;
      else {
        succeeded++;
        assert(w.chain.events(outcome, w.registry).length === 1);
      }
      await restore();
    }
    assert(succeeded > 20 && failed > 20, `${succeeded} ${failed}`);
  });

  it("a registry that refuses records keeps nobody from their money", async () => {
    const w = world();
    // A registry that was told of other payment contracts.
    const stranger = w.parties.stranger;
    const registry = await w.chain.deploy("ComputeRegistry", [stranger, stranger]);
    const streamPay = await w.chain.deploy("StreamPay", [registry.address]);
    const args = ["model", w.rate, "endpoint", 0];
    await w.chain.send({ from: w.parties.payee, to: registry, fn: "registerProvider", args });
    const value = w.rate * 1_000n;
    const create = { from: w.parties.payer, to: streamPay, fn: "createStream", args: [w.parties.payee, 1_000n, 0, 1n], value };
    for (let i = 0; i < 3; i++) await w.chain.send(create);
    w.chain.pass(300);
    await w.chain.send({ from: w.parties.payee, to: streamPay, fn: "withdrawFromStream", args: [1n] });
    await w.chain.send({ from: w.parties.payer, to: streamPay, fn: "cancelStream", args: [2n] });
    await w.chain.send({ from: w.parties.keeper, to: streamPay, fn: "batchUpdateStreams", args: [[3n]] });
    assert.equal((await w.chain.read<{ completions: bigint }>(registry, "getProvider", [1n])).completions, 0n);
    assert.equal(await w.chain.read(streamPay, "creditOf", [w.parties.payee, w.asset]), w.rate * 600n - (w.rate * 300n) / 1_000n);
  });
});

describe("finding 10: a payout is forced on a recipient at a bad moment", () => {
  const world = inAsset("native coin");
  it("nobody but the payee makes the contract call it", async () => {
    const w = world();
    const id = await openBetweenContracts(w);
    await w.setMood("contractPayee", "REENTER", w.registry.address, "0x");
    for (const from of [w.parties.stranger, w.parties.keeper, w.parties.payer]) {
      await w.refuses(w.call(from, "withdrawFromStream", [id]), "StreamPay_NotPayee", [id, from, w.parties.contractPayee]);
    }
    await w.chain.send(w.call(w.parties.keeper, "batchUpdateStreams", [[id]]));
    await w.chain.send(w.through("contractPayer", cancelling(w, id)));
    assert.equal(await w.chain.read(w.contracts.contractPayee, "reentryResult"), "0x");
    assert.equal(await w.chain.balance(w.parties.contractPayee), 0n);
  });

  it("nor is anybody called who is owed nothing, not even its caller", async () => {
    const w = world();
    const id = await openBetweenContracts(w);
    // Whoever is called in this mood remembers it.
    await w.setMood("contractPayer", "REENTER", w.parties.contractPayee);
    w.chain.pass(5_000);
    const all = w.rate * 1_000n;
    await w.expect(w.through("contractPayer", cancelling(w, id)), {
      events: [cancelled(id, w.parties.contractPayer, all, 0n), w.credited("contractPayee", all)],
      credits: { contractPayee: all },
    });
    assert.equal(await w.chain.read(w.contracts.contractPayer, "reentered"), false);
    await w.chain.send(w.through("contractPayer", w.opening()));
    await w.chain.send(w.through("contractPayer", cancelling(w, id + 1n)));
    assert.equal(await w.chain.read(w.contracts.contractPayer, "reentered"), true);
  });
});
