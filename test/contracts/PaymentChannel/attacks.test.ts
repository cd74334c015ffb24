// One test for each way in that is known of payment channels; the finding it answers stands beside it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  type Address,
  encodeFunctionData,
  type Hex,
  hexToBigInt,
  numberToHex,
  parseSignature,
  serializeSignature,
  zeroAddress,
} from "viem";
import { mnemonicToAccount } from "viem/accounts";

import { domain, payeeAuthorization, permitOpen, tokenAuthorization, voucher, voucherTypes } from "./signing.ts";
import {
  as,
  balanced,
  closed,
  freshSalt,
  GRACE,
  load,
  moves,
  networkHelpers,
  type Opened,
  opened,
  publicClient,
  reverts,
  terms,
  timestamp,
  viem,
  type World,
} from "./world.ts";

const never = 2n ** 40n;
const sign = (w: World, id: Hex, amount: bigint, signer = w.hot) => voucher(w.channel.address, signer, id, amount);
const settle = (w: World, id: Hex, amount: bigint, signature: Hex) => w.channel.write.settle([id, amount, signature], as(w.payee));

async function refused(w: World, id: Hex, amount: bigint, signature: Hex, signer: Address = w.hot.account.address): Promise<void> {
  const digest = await w.channel.read.voucherDigest([id, amount]);
  await reverts(w, settle(w, id, amount, signature), "PaymentChannel_InvalidSignature", [signer, digest]);
  await reverts(w, w.channel.write.close([id, amount, signature], as(w.payee)), "PaymentChannel_InvalidSignature", [signer, digest]);
}

describe("attacks", () => {
  // tempoxyz/mpp-rs#247: vouchers replayed.
  describe("when a voucher is replayed", () => {
    it("it is refused a second time", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      const signature = await sign(w, c.id, 4n);
      await settle(w, c.id, 4n, signature);
      await reverts(w, settle(w, c.id, 4n, signature), "PaymentChannel_AmountNotIncreasing", [c.id, 4n, 4n]);
      // Closing with it pays nothing more.
      await moves(
        w,
        w.dollar,
        [
          [c.terms.payee, 0n],
          [c.terms.payer, 6n],
        ],
        () => w.channel.write.close([c.id, 4n, signature], as(w.payee)),
      );
    });

    it("it is refused when an older one follows a newer", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      await settle(w, c.id, 6n, await sign(w, c.id, 6n));
      await reverts(w, settle(w, c.id, 4n, await sign(w, c.id, 4n)), "PaymentChannel_AmountNotIncreasing", [c.id, 4n, 6n]);
    });

    it("it is refused on another channel", async () => {
      const w = await load();
      const [a, b] = [await opened(w, 10n), await opened(w, 10n)];
      await refused(w, b.id, 4n, await sign(w, a.id, 4n));
    });

    it("it is refused on another contract", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      await refused(w, c.id, 4n, await voucher(w.faultyChannel.address, w.hot, c.id, 4n));
    });

    it("it is refused when signed for another chain", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      await refused(w, c.id, 4n, await otherChainVoucher(w, c.id, 4n));
    });
  });

  describe("when a signature is malleable", () => {
    it("it is refused with the high s of the same signature", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      const { r, s, yParity } = parseSignature(await sign(w, c.id, 4n));
      const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
      const twin = serializeSignature({ r, s: numberToHex(order - hexToBigInt(s), { size: 32 }), yParity: yParity === 0 ? 1 : 0 });
      await refused(w, c.id, 4n, twin);
      const call = { channelId: c.id, cumulativeAmount: 4n, nonce: 1n, deadline: never };
      const payees = parseSignature(await payeeAuthorization(w.channel.address, "SettleAuthorization", w.payee, call));
      const payeesTwin = serializeSignature({
        r: payees.r,
        s: numberToHex(order - hexToBigInt(payees.s), { size: 32 }),
        yParity: payees.yParity === 0 ? 1 : 0,
      });
      const digest = await w.channel.read.settleDigest([c.id, 4n, 1n, never]);
      const relayed = w.channel.write.settleWithAuthorization([c.id, 4n, 1n, never, payeesTwin, await sign(w, c.id, 4n)], as(w.relayer));
      await reverts(w, relayed, "PaymentChannel_InvalidSignature", [w.payee.account.address, digest]);
    });

    it("it is refused in the compact form", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      const { r, s, yParity } = parseSignature(await sign(w, c.id, 4n));
      const compact = `${r}${numberToHex(hexToBigInt(s) | (BigInt(yParity) << 255n), { size: 32 }).slice(2)}` as Hex;
      await refused(w, c.id, 4n, compact);
    });
  });

  describe("when the recovered signer is nobody", () => {
    it("it is refused", async () => {
      const w = await load();
      // A token that takes money from nobody lets a channel be opened in the name of the zero address.
      const token = await viem.deployContract("CompliantThief");
      const nonce = await w.channel.read.openNonce([zeroAddress, w.payee.account.address, token.address, freshSaltOnce, zeroAddress]);
      await w.channel.write.openWithAuthorization(
        [w.payee.account.address, token.address, 10n, freshSaltOnce, zeroAddress, zeroAddress, 0n, never, nonce, "0x"],
        as(w.relayer),
      );
      const id = await w.channel.read.computeChannelId([zeroAddress, w.payee.account.address, token.address, freshSaltOnce, zeroAddress]);
      await refused(w, id, 4n, `0x${"11".repeat(64)}00`, zeroAddress);
    });
  });

  // tempoxyz/tempo PR#3136: without a tombstone an old voucher drains a new deposit.
  describe("when a channel id is used again", () => {
    it("it is refused after both ways of closing, for all ways of opening", async () => {
      const w = await load();
      const cooperative = await closed(w, 10n);
      const forced = await opened(w, 10n);
      await w.channel.write.requestClose([forced.id], as(w.payer));
      await networkHelpers.time.increase(GRACE);
      await w.channel.write.withdraw([forced.id], as(w.payer));
      for (const { id, terms: t } of [cooperative, forced]) {
        const { payer, payee, token, salt, authorizedSigner } = t;
        await reverts(
          w,
          w.channel.write.open([payee, token, 10n, salt, authorizedSigner], as(w.payer)),
          "PaymentChannel_ChannelAlreadyExists",
          [id],
        );
        const nonce = await w.channel.read.openNonce([payer, payee, token, salt, authorizedSigner]);
        const authorization = await tokenAuthorization(w.usd18, "Dollar", w.payer, {
          from: payer,
          to: w.channel.address,
          value: 10n,
          validAfter: 0n,
          validBefore: never,
          nonce,
        });
        const authorized = w.channel.write.openWithAuthorization(
          [payee, token, 10n, salt, authorizedSigner, payer, 0n, never, nonce, authorization],
          as(w.relayer),
        );
        await reverts(w, authorized, "PaymentChannel_ChannelAlreadyExists", [id]);
        const permit = await permitOpen(w, w.payer, { token, amount: 10n, nonce: 1n, deadline: never }, { payee, salt, authorizedSigner });
        const permitted = w.channel.write.openWithPermit2(
          [payee, token, 10n, salt, authorizedSigner, payer, 1n, never, permit],
          as(w.relayer),
        );
        await reverts(w, permitted, "PaymentChannel_ChannelAlreadyExists", [id]);
        await reverts(w, settle(w, id, 4n, await sign(w, id, 4n)), "PaymentChannel_ChannelFinalized", [id]);
      }
    });
  });

  // tempoxyz/mpp-specs#127, wevm/mppx#142, x402-foundation/x402#3464: races around a forced close.
  describe("when a forced close races the payee", () => {
    it("it lets the payee settle to the last second of the grace period and after", async () => {
      const w = await load();
      const c = await requested(w);
      await networkHelpers.time.increase(GRACE - 2n);
      await settle(w, c.id, 4n, await sign(w, c.id, 4n));
      await networkHelpers.time.increase(10n);
      // The payer may leave now but has not: the payee is first.
      await settle(w, c.id, 7n, await sign(w, c.id, 7n));
      await moves(
        w,
        w.dollar,
        [
          [c.terms.payer, 3n],
          [c.terms.payee, 0n],
        ],
        () => w.channel.write.withdraw([c.id], as(w.payer)),
      );
    });

    it("it lets no payer withdraw without having asked", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      await reverts(w, w.channel.write.withdraw([c.id], as(w.payer)), "PaymentChannel_CloseNotReady", [c.id, 0n]);
    });

    it("it lets no payer withdraw twice", async () => {
      const w = await load();
      await opened(w, 10n);
      const c = await requested(w);
      await networkHelpers.time.increase(GRACE);
      await w.channel.write.withdraw([c.id], as(w.payer));
      await reverts(w, w.channel.write.withdraw([c.id], as(w.payer)), "PaymentChannel_ChannelFinalized", [c.id]);
      await reverts(w, w.channel.write.requestClose([c.id], as(w.payer)), "PaymentChannel_ChannelFinalized", [c.id]);
      await balanced(w.dollar, w.channel);
    });

    it("it lets no old request count after a top-up", async () => {
      const w = await load();
      const c = await requested(w);
      await networkHelpers.time.increase(GRACE);
      await w.channel.write.topUp([c.id, 1n], as(w.payer));
      await reverts(w, w.channel.write.withdraw([c.id], as(w.payer)), "PaymentChannel_CloseNotReady", [c.id, 0n]);
      await w.channel.write.requestClose([c.id], as(w.payer));
      const again = (await timestamp()) + GRACE;
      await reverts(w, w.channel.write.withdraw([c.id], as(w.payer)), "PaymentChannel_CloseNotReady", [c.id, again]);
    });

    it("it lets no stranger's top-up hold the payer", async () => {
      const w = await load();
      const c = await requested(w);
      await networkHelpers.time.increase(GRACE - 5n);
      const from = w.payee.account.address;
      await w.usd18.write.mint([from, 1n]);
      const nonce = await w.channel.read.topUpNonce([c.id, 1n, from, freshSaltOnce]);
      const signature = await tokenAuthorization(w.usd18, "Dollar", w.payee, {
        from,
        to: w.channel.address,
        value: 1n,
        validAfter: 0n,
        validBefore: never,
        nonce,
      });
      await w.channel.write.topUpWithAuthorization([c.id, 1n, from, freshSaltOnce, 0n, never, nonce, signature], as(w.payee));
      await networkHelpers.time.increase(5n);
      await moves(w, w.dollar, [[c.terms.payer, 11n]], () => w.channel.write.withdraw([c.id], as(w.payer)));
    });
  });

  describe("when a party cannot be paid", () => {
    // Sablier Lockup v1.0, cantina 3.2.1: one party blocks the other's exit by refusing its own payment.
    it("it credits a blocklisted payee and payer, and both leave", async () => {
      const w = await load();
      const c = await opened(w, 10n, { token: w.blocklist.address });
      for (const account of [c.terms.payer, c.terms.payee]) await w.blocklist.write.setBlocked([account, true]);
      await w.channel.write.close([c.id, 4n, await sign(w, c.id, 4n)], as(w.payee));
      const refuge = w.deployer.account.address;
      await w.channel.write.withdrawCredit([w.blocklist.address, refuge], as(w.payee));
      await w.channel.write.withdrawCredit([w.blocklist.address, refuge], as(w.payer));
      assert.equal(await w.blocklist.read.balanceOf([refuge]), 10n);
      assert.equal(await w.blocklist.read.balanceOf([w.channel.address]), 0n);
    });

    // sig-net/mpc#166, corpus-io/tokenize.it#424: a push to a contract that burns all gas.
    it("it bounds what a gas-burning payer costs the payee", async () => {
      const w = await load();
      const { actor, id } = await actorChannel(w);
      await actor.write.setMood([2, zeroAddress, "0x"]);
      const signature = await sign(w, id, 4n);
      const hash = await moves(
        w,
        w.native,
        [
          [w.payee.account.address, 4n],
          [actor.address, 0n],
          [w.channel.address, -4n],
        ],
        () => w.channel.write.close([id, 4n, signature], { account: w.payee.account, gas: 5_000_000n }),
      );
      assert((await publicClient.getTransactionReceipt({ hash })).gasUsed < 400_000n);
      assert.equal(await w.channel.read.creditOf([actor.address, zeroAddress]), 6n);
    });

    it("it survives a payer that floods the caller with data", async () => {
      const w = await load();
      const { actor, id } = await actorChannel(w);
      await actor.write.setMood([3, zeroAddress, "0x"]);
      await w.channel.write.close([id, 4n, await sign(w, id, 4n)], as(w.payee));
      assert.equal(await w.channel.read.creditOf([actor.address, zeroAddress]), 6n);
    });

    it("it credits when a token lies, burns gas, or answers too little", async () => {
      const w = await load();
      for (const mood of [1, 2, 3, 4, 5]) {
        await w.moody.write.setMood([0]);
        const c = await opened(w, 10n, { token: w.moody.address });
        const before = await w.channel.read.creditOf([c.terms.payer, w.moody.address]);
        await w.moody.write.setMood([mood]);
        await w.channel.write.close([c.id, 0n, "0x"], { account: w.payee.account, gas: 2_000_000n });
        assert.equal((await w.channel.read.creditOf([c.terms.payer, w.moody.address])) - before, 10n, `mood ${mood}`);
      }
      await w.moody.write.setMood([0]);
      await w.channel.write.withdrawCredit([w.moody.address, w.relayer.account.address], as(w.payer));
      assert.equal(await w.moody.read.balanceOf([w.channel.address]), 0n);
    });
  });

  // sherlock-audit/2023-09-Gitcoin#906: the last one to leave finds nothing.
  describe("when a token takes a fee", () => {
    it("it is refused before it can be owed", async () => {
      const w = await load();
      const t = terms(w, { token: w.fee.address });
      await reverts(
        w,
        w.channel.write.open([t.payee, t.token, 200n, t.salt, t.authorizedSigner], as(w.payer)),
        "PaymentChannel_DeliveredLess",
        [198n, 200n],
      );
      assert.equal(await w.fee.read.balanceOf([w.channel.address]), 0n);
    });
  });

  describe("when a token or coin calls back", () => {
    it("it cannot re-enter with a payment in flight", async () => {
      const w = await load();
      const payee = await viem.deployContract("Actor");
      const c = await opened(w, 10n, { payee: payee.address, token: zeroAddress });
      const [first, second] = [await sign(w, c.id, 4n), await sign(w, c.id, 8n)];
      const again = encodeFunctionData({ abi: w.channel.abi, functionName: "close", args: [c.id, 8n, second] });
      await payee.write.setMood([4, w.channel.address, again]);
      const call = encodeFunctionData({ abi: w.channel.abi, functionName: "settle", args: [c.id, 4n, first] });
      await moves(
        w,
        w.native,
        [
          [payee.address, 4n],
          [w.channel.address, -4n],
        ],
        () => payee.write.execute([w.channel.address, 0n, call]),
      );
      await reentryRefused(payee);
      assert.equal(await w.channel.read.statusOf([c.id]), 1);
    });

    it("it cannot re-enter while its deposit is pulled", async () => {
      const w = await load();
      const payer = await viem.deployContract("Actor");
      await w.hook.write.mint([payer.address, 100n]);
      const approve = encodeFunctionData({ abi: w.hook.abi, functionName: "approve", args: [w.channel.address, 100n] });
      await payer.write.execute([w.hook.address, 0n, approve]);
      const open = (salt: Hex) =>
        encodeFunctionData({
          abi: w.channel.abi,
          functionName: "open",
          args: [w.payee.account.address, w.hook.address, 10n, salt, zeroAddress],
        });
      await payer.write.setMood([4, w.channel.address, open(freshSalt())]);
      await payer.write.execute([w.channel.address, 0n, open(freshSaltOnce)]);
      await reentryRefused(payer);
      assert.equal(await w.hook.read.balanceOf([w.channel.address]), 10n);
    });

    it("it cannot re-enter through the registry", async () => {
      const w = await load();
      const c = await opened(w, 10n, {}, w.faultyChannel);
      const collect = encodeFunctionData({
        abi: w.channel.abi,
        functionName: "withdrawCredit",
        args: [c.terms.token, w.stranger.account.address],
      });
      await w.faultyRegistry.write.set([6, c.terms.payee, c.terms.token]);
      await w.faultyRegistry.write.setReentry([w.faultyChannel.address, collect]);
      await w.faultyChannel.write.settle([c.terms, 4n, await voucher(w.faultyChannel.address, w.hot, c.id, 4n), 1n], as(w.payee));
      await reentryRefused(w.faultyRegistry);
    });
  });

  // Permit2 does not look whether a token has code: without the check a channel in coin could be filled with nothing.
  describe("when the native coin is claimed by a token's authorization", () => {
    it("it is refused", async () => {
      const w = await load();
      await opened(w, 10n, { token: zeroAddress });
      const t = terms(w, { token: zeroAddress });
      const permit = await permitOpen(
        w,
        w.payer,
        { token: zeroAddress, amount: 10n, nonce: 1n, deadline: never },
        { payee: t.payee, salt: t.salt, authorizedSigner: t.authorizedSigner },
      );
      const call = w.channel.write.openWithPermit2(
        [t.payee, zeroAddress, 10n, t.salt, t.authorizedSigner, t.payer, 1n, never, permit],
        as(w.relayer),
      );
      await reverts(w, call, "PaymentChannel_NativeCoin", []);
    });
  });

  // Sablier Lockup v1.2, codehawk M-03: the caller starves a guarded call of gas.
  describe("when the relayer starves a payment of gas", () => {
    it("it reverts instead of crediting", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      const call = { channelId: c.id, cumulativeAmount: 4n, nonce: 1n, deadline: never };
      const signatures = [
        await payeeAuthorization(w.channel.address, "CloseAuthorization", w.payee, call),
        await sign(w, c.id, 4n),
      ] as const;
      let succeeded = false;
      for (let gas = 60_000n; gas <= 420_000n; gas += 20_000n) {
        const snapshot = await networkHelpers.takeSnapshot();
        await w.channel.write.closeWithAuthorization([c.id, 4n, 1n, never, ...signatures], { account: w.relayer.account, gas }).then(
          async () => {
            succeeded = true;
            assert.equal(await w.channel.read.creditOf([c.terms.payer, c.terms.token]), 0n, `credit at ${gas} gas`);
            assert.equal(await w.channel.read.creditOf([c.terms.payee, c.terms.token]), 0n, `credit at ${gas} gas`);
          },
          () => undefined,
        );
        await snapshot.restore();
      }
      assert(succeeded, "with enough gas it closes");
    });
  });

  describe("when coins or tokens are donated", () => {
    it("it owes nobody more", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      await w.usd18.write.mint([w.channel.address, 1000n]);
      await reverts(w, settle(w, c.id, 11n, await sign(w, c.id, 11n)), "PaymentChannel_AmountExceedsDeposit", [c.id, 11n, 10n]);
      await w.channel.write.close([c.id, 4n, await sign(w, c.id, 4n)], as(w.payee));
      await balanced(w.dollar, w.channel, 1000n);
      await viem.assertions.revert(w.stranger.sendTransaction({ to: w.channel.address, value: 1n }));
    });
  });

  // The draft's "contract wallet signer mutability": what counts is the wallet's answer now.
  describe("when the wallet of a signer changes its mind", () => {
    it("it is the wallet's answer that counts", async () => {
      const w = await load();
      const wallet = await viem.deployContract("ContractWallet", [w.hot.account.address]);
      const c = await opened(w, 10n, { authorizedSigner: wallet.address });
      const signature = await sign(w, c.id, 4n);
      const code = await publicClient.getCode({
        address: (await viem.deployContract("ContractWallet", [w.stranger.account.address])).address,
      });
      assert(code);
      await networkHelpers.setCode(wallet.address, code);
      await refused(w, c.id, 4n, signature, wallet.address);
      await settle(w, c.id, 4n, await sign(w, c.id, 4n, w.stranger));
    });
  });

  describe("when a signer has delegated code", () => {
    it("it takes the key's signature", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      const wallet = await viem.deployContract("ContractWallet", [w.stranger.account.address]);
      await networkHelpers.setCode(w.hot.account.address, `0xef0100${wallet.address.slice(2)}`);
      await settle(w, c.id, 4n, await sign(w, c.id, 4n));
    });
  });
});

const freshSaltOnce: Hex = `0x${"5a".repeat(32)}`;

async function requested(w: World): Promise<Opened> {
  const c = await opened(w, 10n);
  await w.channel.write.requestClose([c.id], as(w.payer));
  return c;
}

/** A native channel of 10 whose payer is a contract and whose vouchers the hot key signs. */
async function actorChannel(w: World) {
  const actor = await viem.deployContract("Actor");
  const args = [w.payee.account.address, zeroAddress, 10n, freshSaltOnce, w.hot.account.address] as const;
  const data = encodeFunctionData({ abi: w.channel.abi, functionName: "open", args });
  await actor.write.execute([w.channel.address, 10n, data], { value: 10n });
  const id = await w.channel.read.computeChannelId([
    actor.address,
    w.payee.account.address,
    zeroAddress,
    freshSaltOnce,
    w.hot.account.address,
  ]);
  return { actor, id };
}

async function reentryRefused(actor: { read: { reentered: () => Promise<boolean>; reentryResult: () => Promise<Hex> } }): Promise<void> {
  assert.equal(await actor.read.reentered(), false);
  assert.equal(await actor.read.reentryResult(), "0x3ee5aeb5", "ReentrancyGuardReentrantCall()");
}

/** The hot wallet signs through the node, which refuses other chains: the same key signs here by itself. */
async function otherChainVoucher(w: World, id: Hex, amount: bigint): Promise<Hex> {
  const hot = mnemonicToAccount("test test test test test test test test test test test junk", { addressIndex: 3 });
  assert.equal(hot.address.toLowerCase(), w.hot.account.address.toLowerCase());
  const message = { channelId: id, cumulativeAmount: amount };
  const right = await hot.signTypedData({ domain: domain(w.channel.address), types: voucherTypes, primaryType: "Voucher", message });
  assert.equal(right, await sign(w, id, amount), "the same key");
  return hot.signTypedData({ domain: domain(w.channel.address, 56), types: voucherTypes, primaryType: "Voucher", message });
}
