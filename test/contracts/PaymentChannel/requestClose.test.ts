import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { type Hex, keccak256 } from "viem";

import { as, closed, emits, GRACE, load, moves, networkHelpers, opened, reverts, timestamp, type World } from "./world.ts";

const request = (w: World, id: Hex, from = w.payer) => w.channel.write.requestClose([id], as(from));

describe("requestClose", () => {
  describe("given no channel has this id", () => {
    it("it reverts with ChannelNotFound", async () => {
      const w = await load();
      const id = keccak256("0x");
      await reverts(w, request(w, id), "PaymentChannel_ChannelNotFound", [id]);
    });
  });

  describe("given the channel is closed", () => {
    it("it reverts with ChannelFinalized", async () => {
      const w = await load();
      const c = await closed(w, 10n);
      await reverts(w, request(w, c.id), "PaymentChannel_ChannelFinalized", [c.id]);
    });
  });

  describe("when the caller is not the payer", () => {
    it("it reverts with NotPayer", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      for (const caller of [w.payee, w.hot, w.stranger]) {
        await reverts(w, request(w, c.id, caller), "PaymentChannel_NotPayer", [c.id, caller.account.address, c.terms.payer]);
      }
    });
  });

  describe("given no request is pending", () => {
    it("it starts the grace period", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      const before = await w.channel.read.getChannel([c.id]);
      const hash = await moves(
        w,
        w.dollar,
        [
          [c.terms.payer, 0n],
          [w.channel.address, 0n],
        ],
        () => request(w, c.id),
      );
      const now = await timestamp();
      await emits(hash, w.channel, [["CloseRequested", { channelId: c.id, withdrawableAt: now + GRACE }]]);
      assert.deepEqual(await w.channel.read.getChannel([c.id]), { ...before, closeRequestedAt: now });
      assert.equal(await w.channel.read.statusOf([c.id]), 2);
    });
  });

  describe("given a request is pending", () => {
    it("it keeps the first request's time", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      await request(w, c.id);
      const before = await w.channel.read.getChannel([c.id]);
      await networkHelpers.time.increase(GRACE - 10n);
      await emits(await request(w, c.id), w.channel, []);
      assert.deepEqual(await w.channel.read.getChannel([c.id]), before);
    });
  });
});
