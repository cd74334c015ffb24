// Who comes first, and what a stranger can do in between: P2, P15.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { zeroAddress } from "viem";
import { inAsset, key, recorded, type World } from "../StreamPay/world.ts";

const updating = (w: World, ids: readonly bigint[], from = w.parties.keeper) => w.call(from, "batchUpdateStreams", [ids]);

describe("finding 9, batch poisoning: one item stops the others", () => {
  const world = inAsset("native coin");

  it("streams that were withdrawn, cancelled or completed just before are skipped", async () => {
    const w = world();
    const ids = [await w.open(), await w.open(), await w.open(), await w.open({ recipient: w.parties.rival })] as const;
    w.chain.pass(300);
    await w.chain.send(w.call(w.parties.payee, "withdrawFromStream", [ids[0]]));
    await w.chain.send(w.call(w.parties.payer, "cancelStream", [ids[1]]));
    await w.chain.send(updating(w, [ids[2]], w.parties.stranger));
    const accrued = w.rate * 300n;
    const payout = accrued - accrued / 1_000n;
    await w.expect(updating(w, [0n, ...ids, ...ids, 2n ** 256n - 1n]), {
      events: [["StreamUpdated", { id: ids[3], accrued, reward: accrued / 1_000n, completed: false }], w.credited("rival", payout)],
      balances: { keeper: accrued / 1_000n },
      credits: { rival: payout },
    });
  });

  it("five hundred hostile ids cost little and the good one is settled", async () => {
    const w = world();
    const id = await w.open();
    w.chain.pass(300);
    const { gasUsed } = await w.chain.send(updating(w, [...Array.from({ length: 499 }, (_, i) => 10n ** 30n + BigInt(i)), id]));
    assert(gasUsed < 1_900_000n, `${gasUsed}`);
    assert.equal(await w.credit(w.parties.payee), w.rate * 300n - (w.rate * 300n) / 1_000n);
  });

  it("a hostile token among the assets costs its bounded push and the others are paid", async () => {
    const w = world();
    const { payer, payee, keeper } = w.parties;
    const moody = await w.chain.deploy("MoodyToken");
    await w.chain.send({ from: payer, to: moody, fn: "mint", args: [payer, 10n ** 20n] });
    await w.chain.send({ from: payer, to: moody, fn: "approve", args: [w.streamPay.address, 10n ** 20n] });
    await w.chain.send(w.call(payer, "createStream", [moody.address, 10n ** 9n, payee, 1_000n, 0, 0n]));
    const id = await w.open();
    w.chain.pass(300);
    await w.chain.send({ from: payer, to: moody, fn: "setMood", args: [4] });
    const before = await w.balanceOf(keeper);
    const { gasUsed } = await w.chain.send(updating(w, [1n, id]));
    assert(gasUsed < 420_000n, `${gasUsed}`);
    assert.equal((await w.balanceOf(keeper)) - before, (w.rate * 300n) / 1_000n);
    assert.equal(await w.credit(keeper, moody.address), 300_000n);
  });
});

describe("global keeper throttle: one keeper stops the others", () => {
  const world = inAsset("native coin");
  it("empty batches and a batch of the same second keep nobody out", async () => {
    const w = world();
    const ids = [await w.open(), await w.open()] as const;
    w.chain.pass(300);
    await w.chain.send(updating(w, [], w.parties.stranger));
    await w.chain.send(updating(w, [ids[0]], w.parties.stranger));
    const before = await w.balanceOf(w.parties.keeper);
    await w.chain.send(updating(w, ids));
    assert.equal((await w.balanceOf(w.parties.keeper)) - before, (w.rate * 300n) / 1_000n);
  });
});

describe("finding 11: an id that a re-organisation gave to somebody else", () => {
  const world = inAsset("native coin");
  it("a top-up that names its parties does not land in another stream", async () => {
    const w = world();
    const { payer, payee, stranger, rival } = w.parties;
    const undo = await w.chain.snapshot();
    const id = await w.open();
    await undo();
    // The same id is now a stream between other people.
    assert.equal(await w.open({ from: stranger, recipient: rival }), id);
    await w.refuses(w.toppingUp(id, w.rate * 10n), "StreamPay_PartiesMismatch", [id, stranger, rival]);
    // So are exits: only the new parties have them.
    await w.refuses(w.call(payer, "cancelStream", [id]), "StreamPay_NotParty", [id, payer]);
    await w.refuses(w.call(payee, "withdrawFromStream", [id]), "StreamPay_NotPayee", [id, payee, rival]);
  });
});

describe("wrong stream id: two payers in the same block", () => {
  const world = inAsset("native coin");
  it("each learns its own id from its own event and cannot end the other's", async () => {
    const w = world();
    const { payer, stranger } = w.parties;
    const [mine, theirs] = [await w.open(), await w.open({ from: stranger })];
    assert.notEqual(mine, theirs);
    assert.equal(await w.read("getProtocolStats"), theirs);
    await w.refuses(w.call(payer, "cancelStream", [theirs]), "StreamPay_NotParty", [theirs, payer]);
    await w.chain.send(w.call(payer, "cancelStream", [mine]));
  });
});

describe("finding 25: a permissionless call in front makes the other's fail", () => {
  const world = inAsset("native coin");

  it("a keeper's update, a withdrawal or a stranger's top-up just before does not stop a settlement", async () => {
    const w = world();
    const { payer, payee, stranger } = w.parties;
    const ids = [await w.open(), await w.open(), await w.open()] as const;
    w.chain.pass(300);
    const owed = w.rate * 299n + 5n;
    await w.chain.send(updating(w, [ids[0]]));
    await w.chain.send(w.call(payee, "withdrawFromStream", [ids[1]]));
    await w.chain.send(w.toppingUp(ids[2], w.rate, stranger));
    for (const id of ids) await w.chain.send(w.call(payer, "settleStream", [id, owed, await w.sign(key(2), id, owed)]));
    assert.equal(await w.liabilities(), await w.balanceOf(w.streamPay.address));
  });

  it("nor a cancel", async () => {
    const w = world();
    const id = await w.open();
    w.chain.pass(300);
    await w.chain.send(updating(w, [id]));
    await w.expect(w.call(w.parties.payer, "cancelStream", [id]), {
      events: [["StreamCancelled", { id, by: w.parties.payer, paid: 0n, refunded: w.rate * 700n }]],
      balances: { payer: w.rate * 700n },
    });
  });

  it("a provider that switches off or removes its signer does not stop its payers' exits", async () => {
    const w = world();
    const providerId = await w.provide();
    const id = await w.open({ providerId });
    w.chain.pass(300);
    await w.update(providerId, w.rate, false);
    await w.setSigner(providerId, zeroAddress);
    const [paid, refunded] = [w.rate * 300n, w.rate * 700n];
    await w.expect(w.call(w.parties.payer, "cancelStream", [id]), {
      events: [recorded(providerId, paid), ["StreamCancelled", { id, by: w.parties.payer, paid, refunded }], w.credited("payee", paid)],
      balances: { payer: refunded },
      credits: { payee: paid },
    });
  });
});
