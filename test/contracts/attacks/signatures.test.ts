// Signatures that are copied, bent, taken elsewhere or sent first by somebody else.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { concatHex, type Hex, hexToBigInt, numberToHex, parseSignature, zeroAddress } from "viem";
import { authorize, nonceOf, permit, relaying, terms } from "../StreamPay/tokenSignatures.ts";
import { build, fresh, inAsset, key, type World } from "../StreamPay/world.ts";

const PAYEE = key(2);
const settling = (w: World, id: bigint, owed: bigint, signature: Hex) => w.call(w.parties.payer, "settleStream", [id, owed, signature]);
const refused = (w: World, id: bigint, owed: bigint, signature: Hex) =>
  w.refuses(settling(w, id, owed, signature), "StreamPay_BadSettlementSignature", [id, owed]);
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

describe("settlements", () => {
  const world = inAsset("native coin");

  it("signed for another chain are refused", async () => {
    const w = world();
    const id = await w.open();
    await refused(w, id, 1n, await w.sign(PAYEE, id, 1n, w.streamPay.address, 56));
  });

  it("signed for another contract are refused", async () => {
    const w = world();
    const id = await w.open();
    const twin = await w.chain.deploy("StreamPay", [w.registry.address]);
    await refused(w, id, 1n, await w.sign(PAYEE, id, 1n, twin.address));
  });

  it("signed for another stream of the same parties are refused", async () => {
    const w = world();
    const [first, second] = [await w.open(), await w.open()];
    await refused(w, second, 1n, await w.sign(PAYEE, first, 1n));
  });

  it("with a bent signature (high s, flipped v) are refused", async () => {
    const w = world();
    const id = await w.open();
    const { r, s, yParity } = parseSignature(await w.sign(PAYEE, id, 1n));
    const bent = concatHex([r, numberToHex(ORDER - hexToBigInt(s), { size: 32 }), numberToHex(28 - yParity, { size: 1 })]);
    await refused(w, id, 1n, bent);
  });

  it("with a v that recovers nobody are refused even when no signer is set", async () => {
    const w = world();
    const providerId = await w.provide();
    const id = await w.open({ providerId });
    assert.equal(await w.chain.read(w.registry, "getSigner", [providerId]), zeroAddress);
    await refused(w, id, 1n, `0x${"00".repeat(65)}`);
    await refused(w, id, 1n, `0x${"ff".repeat(64)}1b`);
  });

  it("used once are of no use again", async () => {
    const w = world();
    const id = await w.open();
    const signature = await w.sign(PAYEE, id, 0n);
    await w.chain.send(settling(w, id, 0n, signature));
    await w.refuses(settling(w, id, 0n, signature), "StreamPay_UnknownStream", [id]);
  });

  it("of another provider's signer are refused", async () => {
    const w = world();
    const [mine, other] = [await w.provide(), await w.provide(w.parties.rival)];
    await w.setSigner(other, key(6).address, w.parties.rival);
    const id = await w.open({ providerId: mine });
    await refused(w, id, 0n, await w.sign(key(6), id, 0n));
  });

  it("of a wallet contract that answers rubbish, burns gas or reverts are refused, and the payer can still cancel", async () => {
    const w = world();
    const { contractPayee } = w.parties;
    const id = await w.open({ recipient: contractPayee });
    await refused(w, id, 0n, await w.sign(key(5), id, 0n));
    const burner = await w.chain.deploy("MoodyToken");
    const other = await w.open({ recipient: burner.address });
    await refused(w, other, 0n, "0x");
    w.chain.pass(10);
    await w.chain.send(w.call(w.parties.payer, "cancelStream", [id]));
    await w.chain.send(w.call(w.parties.payer, "cancelStream", [other]));
  });
});

describe("phishing: a contract that a party was lured to call", () => {
  const world = inAsset("native coin");

  it("cannot act for that party, whoever started the transaction", async () => {
    const w = world();
    const { payer, payee, rival } = w.parties;
    const lure = w.contracts.contractPayee;
    const id = await w.open();
    w.chain.pass(10);
    await w.chain.send(w.call(w.parties.keeper, "batchUpdateStreams", [[id]]));
    w.chain.pass(10);
    // The party itself calls the lure, which calls on.
    const lured = (from: typeof payer, fn: string, args: readonly unknown[]) => ({
      ...w.through("contractPayee", w.call(from, fn, args)),
      from,
    });
    await w.refuses(lured(payer, "cancelStream", [id]), "StreamPay_NotParty", [id, lure.address]);
    await w.refuses(lured(payee, "cancelStream", [id]), "StreamPay_NotParty", [id, lure.address]);
    await w.refuses(lured(payee, "withdrawFromStream", [id]), "StreamPay_NotPayee", [id, lure.address, payee]);
    const settlement = [id, 0n, await w.sign(PAYEE, id, 0n)];
    await w.refuses(lured(payer, "settleStream", settlement), "StreamPay_NotPayer", [id, lure.address, payer]);
    await w.refuses(lured(payer, "redirectStream", [id, rival, 0n]), "StreamPay_NotPayer", [id, lure.address, payer]);
    await w.refuses(lured(payee, "withdrawCredit", [w.asset, rival]), "StreamPay_NothingCredited", [lure.address, w.asset]);
  });

  it("and what it does in its own name is its own", async () => {
    const w = world();
    const { contractPayer, contractPayee, payee, rival } = w.parties;
    const through = (fn: string, args: readonly unknown[], value = 0n) =>
      w.through("contractPayer", w.call(contractPayer, fn, args, value));
    const [paid, terms] = [w.rate * 10n, { from: contractPayer }];
    await w.expect(w.through("contractPayer", w.opening(terms)), {
      events: [w.created(1n, terms)],
      balances: { contractPayer: -w.rate * 1_000n },
    });
    await w.expect(w.through("contractPayer", w.toppingUp(1n, w.rate, contractPayer, contractPayer, payee)), {
      events: [["StreamToppedUp", { id: 1n, by: contractPayer, amount: w.rate, end: w.chain.now + 1_001n }]],
      balances: { contractPayer: -w.rate },
    });
    w.chain.pass(10);
    await w.expect(through("redirectStream", [1n, contractPayee, 0n]), {
      events: [
        w.created(2n, { from: contractPayer, recipient: contractPayee, duration: 991n }),
        ["StreamRedirected", { id: 1n, newId: 2n, paid, moved: w.rate * 991n, refunded: 0n }],
        w.credited("payee", paid),
      ],
      credits: { payee: paid },
    });
    w.chain.pass(10);
    await w.expect(through("cancelStream", [2n]), {
      events: [["StreamCancelled", { id: 2n, by: contractPayer, paid, refunded: w.rate * 981n }], w.credited("contractPayee", paid)],
      balances: { contractPayer: w.rate * 981n },
      credits: { contractPayee: paid },
    });
    await w.expect(w.through("contractPayee", w.call(contractPayee, "withdrawCredit", [w.asset, rival])), {
      events: [["CreditWithdrawn", { account: contractPayee, asset: w.asset, to: rival, amount: paid }]],
      balances: { rival: paid },
      credits: { contractPayee: -paid },
    });
    const keeping = await w.open();
    w.chain.pass(10);
    await w.chain.send(w.through("contractPayee", w.call(contractPayee, "batchUpdateStreams", [[keeping]])));
    assert.equal(await w.balanceOf(contractPayee), paid / 1_000n);
  });
});

describe("permits sent first by somebody else", () => {
  const world = fresh(() => build("18 decimals"));
  it("do not stop the stream", async () => {
    const w = world();
    assert(w.token);
    await w.chain.send({ from: w.parties.payer, to: w.token, fn: "approve", args: [w.streamPay.address, 0n] });
    const deposit = w.rate * 1_000n;
    const { deadline, v, r, s } = await permit(w, deposit);
    const { payer, payee, stranger } = w.parties;
    await w.chain.send({ from: stranger, to: w.token, fn: "permit", args: [payer, w.streamPay.address, deposit, deadline, v, r, s] });
    const args = [w.asset, deposit, payee, 1_000n, 0, 0n, deadline, v, r, s];
    await w.expect(w.call(payer, "createStreamWithPermit", args), { events: [w.created(1n)], balances: { payer: -deposit } });
  });

  it("and a stranger cannot spend the permit or the allowance for a stream of its own", async () => {
    const w = world();
    assert(w.token);
    const { payer, rival } = w.parties;
    const { deadline, v, r, s } = await permit(w, w.rate * 1_000n);
    const args = [w.asset, w.rate * 1_000n, rival, 1_000n, 0, 0n, deadline, v, r, s];
    assert((await w.chain.read<bigint>(w.token, "allowance", [payer, w.streamPay.address])) > 0n);
    await w.refuses(w.call(rival, "createStreamWithPermit", args), "ERC20InsufficientAllowance", [
      w.streamPay.address,
      0n,
      w.rate * 1_000n,
    ]);
  });
});

describe("finding 21: calldata that says who is calling", () => {
  const world = fresh(() => build("18 decimals"));

  it("a relayer can change no term of an authorization, nor name another payer", async () => {
    const w = world();
    const t = terms(w);
    const signature = await authorize(w, t);
    for (const change of [{ recipient: w.parties.relayer }, { duration: 1n }, { payer: w.parties.stranger }]) {
      const changed = { ...t, ...change };
      await w.refuses(relaying(w, changed, signature), "MockToken_BadAuthorizationSignature", [changed.payer, nonceOf(changed)]);
    }
  });

  it("an authorization cannot be taken from the token directly, nor used for another contract", async () => {
    const w = world();
    assert(w.token);
    const t = terms(w);
    const { r, s, yParity } = parseSignature(await authorize(w, t));
    const args = [t.payer, w.streamPay.address, t.amount, t.validAfter, t.validBefore, nonceOf(t), yParity + 27, r, s];
    const call = { from: w.parties.relayer, to: w.token, fn: "receiveWithAuthorization", args };
    await w.refuses(call, "MockToken_CallerNotReceiver", [w.parties.relayer, w.streamPay.address]);
    const twin = await w.chain.deploy("StreamPay", [w.registry.address]);
    await w.refuses({ ...relaying(w, t, await authorize(w, t)), to: twin }, "MockToken_BadAuthorizationSignature", [t.payer, nonceOf(t)]);
  });

  it("whoever sends it first, the same stream opens", async () => {
    const w = world();
    const t = terms(w);
    await w.expect(relaying(w, t, await authorize(w, t), w.parties.stranger), { events: [w.created(1n)], balances: { payer: -t.amount } });
  });

  it("a forged token cannot make anybody the payer of real money", async () => {
    const w = world();
    // The forger's token lets anybody move anything, but a stream in it holds nothing else.
    const forged = await w.chain.deploy("NoReturnToken");
    const t = terms(w);
    const call = relaying(w, t, await authorize(w, t));
    await w.refuses({ ...call, args: (call.args ?? []).with(1, forged.address) }, "nothing");
  });
});
