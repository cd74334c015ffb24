import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { type Hash, zeroAddress } from "viem";

import { voucher } from "./signing.ts";
import {
  as,
  closed,
  emits,
  idOf,
  load,
  MAX_DEPOSIT,
  moves,
  networkHelpers,
  opened,
  provider,
  reverts,
  revertsIn,
  type Terms,
  terms,
  viem,
  type World,
} from "./world.ts";

const open = (w: World, t: Terms, deposit: bigint, value = 0n, from = w.payer) =>
  w.channel.write.open([t.payee, t.token, deposit, t.salt, t.authorizedSigner], { account: from.account, value });

const openedEvent = (id: Hash, t: Terms, deposit: bigint) => ["ChannelOpened", { channelId: id, ...t, deposit }] as const;

describe("open", () => {
  describe("when the payee is the zero address", () => {
    it("it reverts with ZeroPayee", async () => {
      const w = await load();
      await reverts(w, open(w, terms(w, { payee: zeroAddress }), 1n), "PaymentChannel_ZeroPayee", []);
    });
  });

  describe("when the deposit is zero", () => {
    it("it reverts with ZeroDeposit", async () => {
      const w = await load();
      await reverts(w, open(w, terms(w), 0n), "PaymentChannel_ZeroDeposit", []);
    });
  });

  describe("when the deposit is above the maximum", () => {
    it("it reverts with DepositOverflow", async () => {
      const w = await load();
      const deposit = MAX_DEPOSIT + 1n;
      await reverts(w, open(w, terms(w), deposit), "PaymentChannel_DepositOverflow", [deposit, MAX_DEPOSIT]);
    });
  });

  describe("given a channel of these terms is open", () => {
    it("it reverts with ChannelAlreadyExists", async () => {
      const w = await load();
      const c = await opened(w, 5n);
      await reverts(w, open(w, c.terms, 5n), "PaymentChannel_ChannelAlreadyExists", [c.id]);
    });
  });

  describe("given a channel of these terms is closed", () => {
    it("it reverts with ChannelAlreadyExists", async () => {
      const w = await load();
      const c = await closed(w, 5n);
      await reverts(w, open(w, c.terms, 5n), "PaymentChannel_ChannelAlreadyExists", [c.id]);
    });
  });

  describe("given there is no room for a further pair", () => {
    it("it reverts with TooManyParties and still opens between known parties", async () => {
      const w = await load();
      await opened(w, 5n);
      // The slot of the two counters: payers in the low half, payees in the high half.
      const counts = "0x6";
      const [payers, payees] = [2n ** 40n - 1n, 2n ** 32n - 1n];
      assert.equal(BigInt(await networkHelpers.getStorageAt(w.channel.address, counts)), (1n << 128n) | 1n);
      const newPayer = terms(w, { payer: w.stranger.account.address });
      const newPayee = terms(w, { payee: w.stranger.account.address });
      await networkHelpers.setStorageAt(w.channel.address, counts, (1n << 128n) | payers);
      await reverts(w, open(w, newPayer, 5n, 0n, w.stranger), "PaymentChannel_TooManyParties", []);
      await networkHelpers.setStorageAt(w.channel.address, counts, (payees << 128n) | 1n);
      await reverts(w, open(w, newPayee, 5n), "PaymentChannel_TooManyParties", []);
      await open(w, terms(w), 5n);
      // The last numbers of both kinds are as good as the first.
      await networkHelpers.setStorageAt(w.channel.address, counts, ((payees - 1n) << 128n) | (payers - 1n));
      const last = terms(w, { payer: w.stranger.account.address, payee: w.relayer.account.address });
      await open(w, last, 5n, 0n, w.stranger);
      assert.deepEqual(await w.channel.read.getChannel([await idOf(w.channel, last)]), expected(last, 5n));
    });
  });

  describe("when the asset is the native coin", () => {
    describe("when the value is not the deposit", () => {
      it("it reverts with ValueMismatch", async () => {
        const w = await load();
        const t = terms(w, { token: zeroAddress });
        await reverts(w, open(w, t, 5n, 4n), "PaymentChannel_ValueMismatch", [4n, 5n]);
        await reverts(w, open(w, t, 5n, 6n), "PaymentChannel_ValueMismatch", [6n, 5n]);
      });
    });

    describe("when the value is the deposit", () => {
      it("it opens the channel", async () => {
        const w = await load();
        const t = terms(w, { token: zeroAddress });
        const id = await idOf(w.channel, t);
        const hash = await moves(
          w,
          w.native,
          [
            [t.payer, -5n],
            [w.channel.address, 5n],
          ],
          () => open(w, t, 5n, 5n),
        );
        await emits(hash, w.channel, [openedEvent(id, t, 5n)]);
        assert.deepEqual(await w.channel.read.getChannel([id]), expected(t, 5n));
      });
    });
  });

  describe("when the asset is an ERC-20", () => {
    describe("when value is sent", () => {
      it("it reverts with ValueMismatch", async () => {
        const w = await load();
        await reverts(w, open(w, terms(w), 5n, 5n), "PaymentChannel_ValueMismatch", [5n, 0n]);
      });
    });

    describe("when the allowance is too small", () => {
      it("it reverts with the token's error", async () => {
        const w = await load();
        await w.usd18.write.approve([w.channel.address, 4n], as(w.payer));
        await revertsIn(w.usd18, open(w, terms(w), 5n), "ERC20InsufficientAllowance", [w.channel.address, 4n, 5n]);
      });
    });

    describe("when the token has no code", () => {
      it("it reverts", async () => {
        const w = await load();
        await viem.assertions.revert(open(w, terms(w, { token: w.stranger.account.address }), 5n));
      });
    });

    describe("when the token delivers less than asked", () => {
      it("it reverts with DeliveredLess", async () => {
        const w = await load();
        await reverts(w, open(w, terms(w, { token: w.fee.address }), 1000n), "PaymentChannel_DeliveredLess", [990n, 1000n]);
      });
    });

    describe("when the token delivers in full", () => {
      describe("when the deposit is the maximum", () => {
        it("it opens the channel", async () => {
          const w = await load();
          const t = terms(w);
          await moves(
            w,
            w.dollar,
            [
              [t.payer, -MAX_DEPOSIT],
              [w.channel.address, MAX_DEPOSIT],
            ],
            () => open(w, t, MAX_DEPOSIT),
          );
          assert.equal((await w.channel.read.getChannel([await idOf(w.channel, t)])).deposit, MAX_DEPOSIT);
        });
      });

      describe("when no signer is named", () => {
        it("it opens a channel whose vouchers the payer signs", async () => {
          const w = await load();
          const t = terms(w, { authorizedSigner: zeroAddress });
          await open(w, t, 5n);
          const id = await idOf(w.channel, t);
          assert.equal((await w.channel.read.getChannel([id])).authorizedSigner, zeroAddress);
          const signature = await voucher(w.channel.address, w.payer, id, 3n);
          await moves(w, w.dollar, [[t.payee, 3n]], () => w.channel.write.settle([id, 3n, signature], as(w.payee)));
        });
      });

      describe("given the parties were never seen", () => {
        it("it opens the channel", async () => {
          const w = await load();
          const t = terms(w);
          const id = await idOf(w.channel, t);
          const hash = await moves(
            w,
            w.dollar,
            [
              [t.payer, -7n],
              [w.channel.address, 7n],
            ],
            () => open(w, t, 7n),
          );
          await emits(hash, w.channel, [openedEvent(id, t, 7n)]);
          assert.deepEqual(await w.channel.read.getChannel([id]), expected(t, 7n));
        });
      });

      describe("given the parties are known", () => {
        it("it writes nothing but the channel's slot", async () => {
          const w = await load();
          const first = await opened(w, 5n);
          assert.equal(await storageWrites(await open(w, terms(w), 6n)), 1);
          // A new payee for a known payer, and the other way round, writes only what is new.
          assert.equal(await storageWrites(await open(w, terms(w, { payee: w.stranger.account.address }), 6n)), 1 + 4);
          const other = terms(w, { payer: w.stranger.account.address });
          assert.equal(await storageWrites(await open(w, other, 6n, 0n, w.stranger)), 1 + 4);
          const again = terms(w);
          await open(w, again, 8n);
          assert.deepEqual(await w.channel.read.getChannel([first.id]), expected(first.terms, 5n));
          assert.deepEqual(await w.channel.read.getChannel([await idOf(w.channel, other)]), expected(other, 6n));
          assert.deepEqual(await w.channel.read.getChannel([await idOf(w.channel, again)]), expected(again, 8n));
        });
      });
    });
  });
});

function expected(t: Terms, deposit: bigint) {
  const { salt: _, ...parties } = t;
  return { ...parties, deposit, settled: 0n, closeRequestedAt: 0n, finalized: false };
}

/** How many storage slots the called contract itself wrote. */
async function storageWrites(hash: Hash): Promise<number> {
  const trace = (await provider.request({
    method: "debug_traceTransaction",
    params: [hash, { disableMemory: true, disableStorage: true }],
  })) as {
    structLogs: { op: string; depth: number; stack: string[] }[];
  };
  return new Set(trace.structLogs.filter((step) => step.op === "SSTORE" && step.depth === 1).map((step) => step.stack.at(-1))).size;
}
