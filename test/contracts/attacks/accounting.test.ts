// Attempts to make the sums not add up: P1, P11.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { numberToHex, zeroAddress } from "viem";
import { build, fresh, inAsset, key, MAX_DURATION, shouldBehaveTheSameInEveryAsset, U64, type World } from "../StreamPay/world.ts";

const cancelling = (w: World, id: bigint, from = w.parties.payer) => w.call(from, "cancelStream", [id]);
const updating = (w: World, ids: readonly bigint[], from = w.parties.keeper) => w.call(from, "batchUpdateStreams", [ids]);
const END_OF_TIME = 2n ** 32n - 1n;

describe("finding 1: an overflow chosen by the payer bricks the stream", () => {
  const world = inAsset("native coin");
  const extreme = { rate: U64, duration: MAX_DURATION };

  it("at the largest rate and duration, every exit works to the unit", async () => {
    const w = world();
    const all = U64 * MAX_DURATION;
    await w.chain.rpc("hardhat_setBalance", [w.parties.payer, numberToHex(2n ** 120n)]);
    const ids = [await w.open(extreme), await w.open(extreme), await w.open(extreme)] as const;
    w.chain.pass(MAX_DURATION - 1n);
    await w.expect(w.call(w.parties.payee, "withdrawFromStream", [ids[0]]), {
      events: [["StreamWithdrawn", { id: ids[0], payee: w.parties.payee, amount: all - U64 }]],
      balances: { payee: all - U64 },
    });
    await w.expect(cancelling(w, ids[1]), {
      events: [["StreamCancelled", { id: ids[1], by: w.parties.payer, paid: all - U64, refunded: U64 }], w.credited("payee", all - U64)],
      balances: { payer: U64 },
      credits: { payee: all - U64 },
    });
    const owed = all - U64 - 1n;
    await w.expect(w.call(w.parties.payer, "settleStream", [ids[2], owed, await w.sign(key(2), ids[2], owed)]), {
      events: [["StreamSettled", { id: ids[2], paid: owed, refunded: U64 + 1n }], w.credited("payee", owed)],
      balances: { payer: U64 + 1n },
      credits: { payee: owed },
    });
  });
});

describe("findings 6 and 24: updates so frequent that accruals round away", () => {
  shouldBehaveTheSameInEveryAsset((world) => {
    it("a poke every second takes nothing from the payee but the keepers' thousandth", async () => {
      const w = world();
      const [poked, quiet] = [
        await w.open({ duration: 60n, rate: 1_999n }),
        await w.open({ duration: 60n, rate: 1_999n, recipient: w.parties.rival }),
      ];
      for (let second = 0; second < 60; second++) {
        w.chain.pass(1);
        await w.chain.send(updating(w, [poked]));
      }
      await w.chain.send(updating(w, [quiet]));
      const all = 1_999n * 60n;
      assert.equal(await w.credit(w.parties.payee), all - 60n);
      assert.equal(await w.credit(w.parties.rival), all - all / 1_000n);
      assert.equal(await w.liabilities(), await w.balanceOf(w.streamPay.address));
    });
  });
});

describe("finding 7: a fee that rounds to nothing", () => {
  const world = inAsset("6 decimals");
  it("goes to the payee, never blocks, and splitting earns a keeper less", async () => {
    const w = world();
    const id = await w.open({ rate: 999n });
    for (let second = 0; second < 5; second++) {
      w.chain.pass(1);
      await w.chain.send(updating(w, [id]));
    }
    assert.equal(await w.balanceOf(w.parties.keeper), 0n);
    assert.equal(await w.credit(w.parties.payee), 4_995n);
  });
});

describe("finding 8: other people's top-ups", () => {
  const world = inAsset("18 decimals");
  it("are the payer's, as the manual says, and never the stranger's to take back", async () => {
    const w = world();
    const { stranger } = w.parties;
    const id = await w.open();
    await w.chain.send(w.toppingUp(id, w.rate * 100n, stranger));
    await w.refuses(cancelling(w, id, stranger), "StreamPay_NotParty", [id, stranger]);
    await w.chain.send(cancelling(w, id));
    assert.equal(await w.credit(stranger), 0n);
  });
});

describe("finding 12: one stream of a payer stops the others", () => {
  const world = inAsset("native coin");
  it("each holds its own deposit", async () => {
    const w = world();
    const [short, long] = [await w.open({ duration: 10n }), await w.open({ recipient: w.parties.rival })];
    w.chain.pass(500);
    await w.chain.send(w.call(w.parties.payee, "withdrawFromStream", [short]));
    assert.equal(await w.read("getCurrentBalance", [long]), w.rate * 500n);
    await w.chain.send(w.call(w.parties.rival, "withdrawFromStream", [long]));
  });
});

describe("findings 13, 14 and 17, pause and owner: powers that nobody has", () => {
  const world = inAsset("native coin");
  const state = (w: World, contract: "registry" | "streamPay") =>
    w[contract].abi.flatMap((item) => (item.type === "function" && !["view", "pure"].includes(item.stateMutability) ? [item] : []));

  it("StreamPay's functions that change anything are these, and only two take coin", async () => {
    const w = world();
    const functions = state(w, "streamPay");
    assert.deepEqual(
      new Set(functions.map(({ name }) => name)),
      new Set([
        ...["createStream", "createStreamWithPermit", "createStreamWithAuthorization", "topUpStream", "withdrawFromStream"],
        ...["cancelStream", "settleStream", "redirectStream", "batchUpdateStreams", "withdrawCredit"],
      ]),
    );
    const payable = functions.filter(({ stateMutability }) => stateMutability === "payable").map(({ name }) => name);
    assert.deepEqual(payable.toSorted(), ["createStream", "topUpStream"]);
  });

  it("ComputeRegistry's are these, and none takes coin", async () => {
    const functions = state(world(), "registry");
    assert.deepEqual(
      new Set(functions.map(({ name }) => name)),
      new Set([...["registerProvider", "updateProvider", "setProviderSigner", "recordCompletion", "recordCompletions"]]),
    );
    assert(functions.every(({ stateMutability }) => stateMutability === "nonpayable"));
  });

  it("the account that deployed them can do nothing more than a stranger", async () => {
    const w = world();
    const deployer = w.chain.accounts[0];
    assert(deployer);
    const id = await w.open();
    w.chain.pass(10);
    await w.refuses(cancelling(w, id, deployer), "StreamPay_NotParty", [id, deployer]);
    await w.refuses(w.call(deployer, "withdrawCredit", [zeroAddress, deployer]), "StreamPay_NothingCredited", [deployer, zeroAddress]);
    await w.refuses({ from: deployer, to: w.registry, fn: "recordCompletion", args: [1n, 1n] }, "ComputeRegistry_NotPaymentContract", [
      deployer,
    ]);
  });
});

describe("finding 15: the raw balance taken for somebody's money", () => {
  shouldBehaveTheSameInEveryAsset((world) => {
    it("a gift to the contract changes no one's share and stays where it is", async () => {
      const w = world();
      const gift = 12_345n;
      const id = await w.open();
      if (w.token === undefined) {
        const balance = await w.chain.balance(w.streamPay.address);
        await w.chain.rpc("hardhat_setBalance", [w.streamPay.address, numberToHex(balance + gift)]);
      } else await w.chain.send({ from: w.parties.stranger, to: w.token, fn: "transfer", args: [w.streamPay.address, gift] });
      w.chain.pass(300);
      await w.chain.send(updating(w, [id]));
      await w.chain.send(cancelling(w, id));
      await w.chain.send(w.call(w.parties.payee, "withdrawCredit", [w.asset, w.parties.payee]));
      assert.equal(await w.balanceOf(w.streamPay.address), gift);
      assert.equal(await w.liabilities(), 0n);
    });
  });
});

describe("finding 18: times in the past, at the start, and at the end of 32 bits", () => {
  const world = inAsset("native coin");

  it("a stream cancelled in its first second pays nothing and refunds all", async () => {
    const w = world();
    const id = await w.open();
    await w.refuses(w.call(w.parties.payee, "withdrawFromStream", [id]), "StreamPay_NothingToWithdraw", [id]);
    await w.expect(cancelling(w, id), {
      events: [["StreamCancelled", { id, by: w.parties.payer, paid: 0n, refunded: w.rate * 1_000n }]],
      balances: { payer: w.rate * 1_000n },
    });
  });

  it("exits still work after the last moment of 32-bit time", async () => {
    const w = world();
    w.chain.now = END_OF_TIME - 1_000n;
    const ids = [await w.open(), await w.open(), await w.open(), await w.open()] as const;
    w.chain.now = END_OF_TIME + 10n ** 9n;
    const all = w.rate * 1_000n;
    await w.expect(w.call(w.parties.payee, "withdrawFromStream", [ids[0]]), {
      events: [["StreamWithdrawn", { id: ids[0], payee: w.parties.payee, amount: all }]],
      balances: { payee: all },
    });
    await w.chain.send(cancelling(w, ids[1]));
    await w.chain.send(updating(w, [ids[2]]));
    await w.chain.send(w.call(w.parties.payer, "settleStream", [ids[3], 5n, await w.sign(key(2), ids[3], 5n)]));
    assert.equal(await w.liabilities(), await w.balanceOf(w.streamPay.address));
  });
});

describe("finding 19: a minimum that is too strict, a division before a multiplication", () => {
  const world = inAsset("6 decimals");
  it("one raw unit a second is enough, and a deposit that does not divide loses nothing", async () => {
    const w = world();
    const terms = { rate: 1n, duration: 86_400n };
    await w.expect(w.opening({ ...terms, extra: 86_399n }), { events: [w.created(1n, terms)], balances: { payer: -86_400n } });
  });
});

describe("finding 20: tokens that keep a fee or return nothing", () => {
  const world = fresh(() => build("18 decimals", ["FeeToken", []]));
  it("a fee token is refused before it can leave the last one empty-handed", async () => {
    const w = world();
    const deposit = w.rate * 1_000n;
    await w.refuses(w.opening(), "StreamPay_DeliveredLess", [deposit - deposit / 100n, deposit]);
    assert.equal(await w.read("getProtocolStats"), 0n);
  });
});

describe("finding 23, insolvency: payer, payee and keeper in one person drain the pool", () => {
  shouldBehaveTheSameInEveryAsset((world) => {
    it("takes nothing from other people's deposits, however often", async () => {
      const w = world();
      const { payer: victim, stranger: attacker } = w.parties;
      await w.open({ from: victim, duration: 1_000_000n });
      const before = await w.balanceOf(attacker);
      for (let cycle = 0; cycle < 5; cycle++) {
        const id = await w.open({ from: attacker, recipient: attacker });
        w.chain.pass(990);
        await w.chain.send(updating(w, [id], attacker));
        await w.chain.send(cancelling(w, id, attacker));
        await w.chain.send(w.call(attacker, "withdrawCredit", [w.asset, attacker]));
      }
      assert.equal(await w.balanceOf(attacker), before);
      assert.equal(await w.balanceOf(w.streamPay.address), w.rate * 1_000_000n);
      assert.equal(await w.liabilities(), w.rate * 1_000_000n);
    });
  });
});

describe("dust and late cancel: a remainder stuck in an expired stream", () => {
  shouldBehaveTheSameInEveryAsset((world) => {
    it("nothing is left after the keeper completed it, and the remainder never went in", async () => {
      const w = world();
      const id = await w.open({ extra: 999n });
      w.chain.pass(5_000);
      await w.chain.send(updating(w, [id]));
      await w.refuses(cancelling(w, id), "StreamPay_UnknownStream", [id]);
      await w.chain.send(w.call(w.parties.payee, "withdrawCredit", [w.asset, w.parties.payee]));
      assert.equal(await w.balanceOf(w.streamPay.address), 0n);
    });

    it("a payer may cancel late when no keeper came, and the payee loses nothing by it", async () => {
      const w = world();
      const id = await w.open();
      w.chain.pass(5_000);
      await w.chain.send(cancelling(w, id));
      assert.equal(await w.credit(w.parties.payee), w.rate * 1_000n);
    });
  });
});

describe("rate not tied to price, price changed under an open stream (P11)", () => {
  const world = inAsset("native coin");

  it("a stream below the provider's price cannot carry the provider's id", async () => {
    const w = world();
    const providerId = await w.provide();
    await w.refuses(w.opening({ providerId, rate: w.rate - 1n }), "StreamPay_RateBelowPrice", [w.rate - 1n, w.rate]);
  });

  it("neither a new price nor switching off touches an open stream", async () => {
    const w = world();
    const providerId = await w.provide();
    const id = await w.open({ providerId });
    const before = await w.stream(id);
    await w.update(providerId, w.rate * 50n, false);
    assert.deepEqual(await w.stream(id), before);
    w.chain.pass(300);
    await w.chain.send(w.toppingUp(id, w.rate * 10n));
    await w.chain.send(cancelling(w, id));
    assert.equal(await w.credit(w.parties.payee), w.rate * 300n);
  });

  it("a provider that raises its price just before a redirect gets no dearer stream", async () => {
    const w = world();
    const id = await w.open();
    const providerId = await w.provide(w.parties.rival);
    await w.update(providerId, w.rate * 700n, true, w.parties.rival);
    const redirecting = w.call(w.parties.payer, "redirectStream", [id, w.parties.rival, providerId]);
    await w.refuses(redirecting, "StreamPay_PriceAboveMax", [w.rate * 700n, w.rate]);
  });
});
