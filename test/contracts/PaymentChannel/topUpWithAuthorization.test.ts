import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { encodeAbiParameters, type Hex, keccak256, zeroAddress } from "viem";

import { tokenAuthorization } from "./signing.ts";
import { as, closed, emits, load, moves, type Opened, opened, reverts, revertsIn, type Wallet, type World } from "./world.ts";

const never = 2n ** 40n;
const salt = keccak256("0x70");
const fields = [{ type: "bytes32" }, { type: "uint128" }, { type: "address" }, { type: "bytes32" }] as const;
const nonceOf = (id: Hex, amount: bigint, from: Wallet): Hex =>
  keccak256(encodeAbiParameters(fields, [id, amount, from.account.address, salt]));

const sign = (w: World, c: Opened, value: bigint, from = w.payer, name = "Dollar") =>
  tokenAuthorization({ address: c.terms.token }, name, from, {
    from: from.account.address,
    to: w.channel.address,
    value,
    validAfter: 0n,
    validBefore: never,
    nonce: nonceOf(c.id, value, from),
  });

const topUp = (w: World, id: Hex, amount: bigint, signature: Hex, from = w.payer, nonce = nonceOf(id, amount, from)) =>
  w.channel.write.topUpWithAuthorization([id, amount, from.account.address, salt, 0n, never, nonce, signature], as(w.relayer));

describe("topUpWithAuthorization", () => {
  describe("given no channel has this id", () => {
    it("it reverts with ChannelNotFound", async () => {
      const w = await load();
      const id = keccak256("0x");
      await reverts(w, topUp(w, id, 1n, "0x"), "PaymentChannel_ChannelNotFound", [id]);
    });
  });

  describe("given the channel is closed", () => {
    it("it reverts with ChannelFinalized", async () => {
      const w = await load();
      const c = await closed(w, 5n);
      await reverts(w, topUp(w, c.id, 1n, await sign(w, c, 1n)), "PaymentChannel_ChannelFinalized", [c.id]);
    });
  });

  describe("given the channel is in the native coin", () => {
    it("it reverts with NativeCoin", async () => {
      const w = await load();
      const c = await opened(w, 5n, { token: zeroAddress });
      await reverts(w, topUp(w, c.id, 1n, "0x"), "PaymentChannel_NativeCoin", []);
    });
  });

  describe("when the nonce is not derived from channel, amount, sender and salt", () => {
    it("it reverts with NonceMismatch", async () => {
      const w = await load();
      const c = await opened(w, 5n);
      const nonce = keccak256("0x01");
      await reverts(w, topUp(w, c.id, 3n, await sign(w, c, 3n), w.payer, nonce), "PaymentChannel_NonceMismatch", [
        nonce,
        nonceOf(c.id, 3n, w.payer),
      ]);
    });
  });

  describe("when a relayer names another channel or amount", () => {
    it("it reverts with the token's error", async () => {
      const w = await load();
      const c = await opened(w, 5n);
      const other = await opened(w, 5n);
      const signature = await sign(w, c, 3n);
      const refused = (call: Promise<unknown>, nonce: Hex) =>
        revertsIn(w.usd18, call, "MockToken_BadAuthorizationSignature", [c.terms.payer, nonce]);
      await refused(topUp(w, other.id, 3n, signature), nonceOf(other.id, 3n, w.payer));
      await refused(topUp(w, c.id, 2n, signature), nonceOf(c.id, 2n, w.payer));
    });
  });

  describe("when the token delivers less than asked", () => {
    it("it reverts with DeliveredLess", async () => {
      const w = await load();
      const c = await opened(w, 99n, { token: w.fee.address });
      await reverts(w, topUp(w, c.id, 1000n, await sign(w, c, 1000n, w.payer, "Fee")), "PaymentChannel_DeliveredLess", [990n, 1000n]);
    });
  });

  describe("when the money is the payer's", () => {
    describe("given a close was requested", () => {
      it("it adds to the deposit and withdraws the request", async () => {
        const w = await load();
        const c = await opened(w, 5n);
        await w.channel.write.requestClose([c.id], as(w.payer));
        const signature = await sign(w, c, 3n);
        const hash = await moves(
          w,
          w.dollar,
          [
            [c.terms.payer, -3n],
            [w.channel.address, 3n],
          ],
          () => topUp(w, c.id, 3n, signature),
        );
        await emits(hash, w.channel, [
          ["ChannelToppedUp", { channelId: c.id, by: c.terms.payer, amount: 3n, deposit: 8n }],
          ["CloseRequestCancelled", { channelId: c.id }],
        ]);
        assert.equal((await w.channel.read.getChannel([c.id])).closeRequestedAt, 0n);
      });
    });

    describe("given no close was requested", () => {
      it("it adds to the deposit", async () => {
        const w = await load();
        const c = await opened(w, 5n);
        const signature = await sign(w, c, 3n);
        const hash = await moves(
          w,
          w.dollar,
          [
            [c.terms.payer, -3n],
            [w.channel.address, 3n],
          ],
          () => topUp(w, c.id, 3n, signature),
        );
        await emits(hash, w.channel, [["ChannelToppedUp", { channelId: c.id, by: c.terms.payer, amount: 3n, deposit: 8n }]]);
        await revertsIn(w.usd18, topUp(w, c.id, 3n, signature), "MockToken_AuthorizationUsedOrCanceled", [
          c.terms.payer,
          nonceOf(c.id, 3n, w.payer),
        ]);
      });
    });
  });

  describe("when the money is a stranger's", () => {
    it("it adds to the payer's deposit and leaves a close request standing", async () => {
      const w = await load();
      const c = await opened(w, 5n);
      await w.channel.write.requestClose([c.id], as(w.payer));
      const before = await w.channel.read.getChannel([c.id]);
      const signature = await sign(w, c, 3n, w.stranger);
      const by = w.stranger.account.address;
      const hash = await moves(
        w,
        w.dollar,
        [
          [by, -3n],
          [c.terms.payer, 0n],
          [w.channel.address, 3n],
        ],
        () => topUp(w, c.id, 3n, signature, w.stranger),
      );
      await emits(hash, w.channel, [["ChannelToppedUp", { channelId: c.id, by, amount: 3n, deposit: 8n }]]);
      assert.deepEqual(await w.channel.read.getChannel([c.id]), { ...before, deposit: 8n });
      assert.equal(await w.channel.read.statusOf([c.id]), 2);
    });
  });
});
