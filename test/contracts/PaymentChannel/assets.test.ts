// The same life in every kind of asset: native coin, 18 decimals, 6 decimals, and a token that returns nothing.
import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { zeroAddress } from "viem";

import { voucher } from "./signing.ts";
import { type Asset, as, balanced, GRACE, load, moves, networkHelpers, type Opened, opened, type World } from "./world.ts";

const kinds = ["native coin", "18 decimals", "6 decimals", "no return value"] as const;

async function start(kind: (typeof kinds)[number]): Promise<{ w: World; asset: Asset; deposit: bigint }> {
  const w = await load();
  const asset = w.assets.find(({ name }) => name === kind);
  assert(asset);
  return { w, asset, deposit: 12n * asset.unit + 7n };
}

const sign = (w: World, c: Opened, amount: bigint) => voucher(w.channel.address, w.hot, c.id, amount);

for (const kind of kinds) {
  describe(`${kind}`, () => {
    describe("assets", () => {
      describe("when the payee closes", () => {
        it("it pays every unit to its owner", async () => {
          const { w, asset, deposit } = await start(kind);
          const { payer, payee } = { payer: w.payer.account.address, payee: w.payee.account.address };
          const escrow = w.channel.address;
          let c: Opened | undefined;
          await moves(w, asset, [[escrow, deposit]], async () => {
            c = await opened(w, deposit, { token: asset.address });
            return lastHash(w);
          });
          assert(c);
          const channel = c;
          const first = await sign(w, channel, asset.unit + 1n);
          await moves(
            w,
            asset,
            [
              [payee, asset.unit + 1n],
              [payer, 0n],
              [escrow, -asset.unit - 1n],
            ],
            () => w.channel.write.settle([channel.id, asset.unit + 1n, first], as(w.payee)),
          );
          const value = asset.address === zeroAddress ? 5n : 0n;
          await moves(
            w,
            asset,
            [
              [payer, -5n],
              [escrow, 5n],
            ],
            () => w.channel.write.topUp([channel.id, 5n], { account: w.payer.account, value }),
          );
          const last = await sign(w, channel, deposit - 2n);
          const paid = deposit - 2n - (asset.unit + 1n);
          await moves(
            w,
            asset,
            [
              [payee, paid],
              [payer, 7n],
              [escrow, -paid - 7n],
            ],
            () => w.channel.write.close([channel.id, deposit - 2n, last], as(w.payee)),
          );
          assert.equal(await asset.balanceOf(escrow), 0n);
        });
      });

      describe("when the payer leaves by force", () => {
        it("it pays every unit to its owner", async () => {
          const { w, asset, deposit } = await start(kind);
          const c = await opened(w, deposit, { token: asset.address });
          const signature = await sign(w, c, 3n);
          await w.channel.write.requestClose([c.id], as(w.payer));
          await moves(
            w,
            asset,
            [
              [c.terms.payee, 3n],
              [w.channel.address, -3n],
            ],
            () => w.channel.write.settle([c.id, 3n, signature], as(w.payee)),
          );
          await networkHelpers.time.increase(GRACE);
          await moves(
            w,
            asset,
            [
              [c.terms.payer, deposit - 3n],
              [w.channel.address, 3n - deposit],
            ],
            () => w.channel.write.withdraw([c.id], as(w.payer)),
          );
          assert.equal(await asset.balanceOf(w.channel.address), 0n);
        });
      });

      describe("when many channels share the contract", () => {
        it("it keeps their money apart", async () => {
          const { w, asset, deposit } = await start(kind);
          const mine = await opened(w, deposit, { token: asset.address });
          const strangers = await opened(w, 3n * deposit, { token: asset.address, payer: w.stranger.account.address });
          const over = await sign(w, mine, deposit);
          await moves(
            w,
            asset,
            [
              [mine.terms.payee, deposit],
              [strangers.terms.payer, 0n],
              [w.channel.address, -deposit],
            ],
            () => w.channel.write.close([mine.id, deposit, over], as(w.payee)),
          );
          assert.equal((await w.channel.read.getChannel([strangers.id])).settled, 0n);
          await moves(
            w,
            asset,
            [
              [strangers.terms.payer, 3n * deposit],
              [w.channel.address, -3n * deposit],
            ],
            () => w.channel.write.close([strangers.id, 0n, "0x"], as(w.payee)),
          );
          await balanced(asset, w.channel);
        });
      });
    });
  });
}

/** The transaction of the last block, which opened a channel. */
async function lastHash(w: World) {
  const logs = await w.channel.getEvents.ChannelOpened();
  const hash = logs.at(-1)?.transactionHash;
  assert(hash);
  return hash;
}
