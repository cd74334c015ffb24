import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { type Hex, keccak256, zeroAddress } from "viem";

import { permitTopUp } from "./signing.ts";
import { as, closed, emits, load, moves, type Opened, opened, reverts, revertsIn, type World } from "./world.ts";

const deadline = 2n ** 40n;

const sign = (w: World, c: Opened, amount: bigint, from = w.payer) =>
  permitTopUp(w, from, { token: c.terms.token, amount, nonce: 1n, deadline }, c.id);

const topUp = (w: World, id: Hex, amount: bigint, signature: Hex, from = w.payer) =>
  w.channel.write.topUpWithPermit2([id, amount, from.account.address, 1n, deadline, signature], as(w.relayer));

describe("topUpWithPermit2", () => {
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
      await reverts(w, topUp(w, c.id, 1n, await sign(w, c, 1n)), "PaymentChannel_NativeCoin", []);
    });
  });

  describe("when a relayer names another channel or amount", () => {
    it("it reverts with Permit2's error", async () => {
      const w = await load();
      const c = await opened(w, 5n);
      const other = await opened(w, 5n);
      const signature = await sign(w, c, 3n);
      const refused = (call: Promise<unknown>) =>
        revertsIn(w.permit2, call, "MockPermit2_BadSignature", [c.terms.payer, (digest: string) => digest.length === 66]);
      await refused(topUp(w, other.id, 3n, signature));
      await refused(topUp(w, c.id, 2n, signature));
    });
  });

  describe("when the token delivers less than asked", () => {
    it("it reverts with DeliveredLess", async () => {
      const w = await load();
      const c = await opened(w, 99n, { token: w.fee.address });
      await reverts(w, topUp(w, c.id, 1000n, await sign(w, c, 1000n)), "PaymentChannel_DeliveredLess", [990n, 1000n]);
    });
  });

  describe("when the money is the payer's", () => {
    it("it adds to the deposit and withdraws a close request", async () => {
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
      await revertsIn(w.permit2, topUp(w, c.id, 3n, signature), "MockPermit2_NonceUsed", [c.terms.payer, 1n]);
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
    });
  });
});
