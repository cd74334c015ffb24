import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { isAddressEqual, keccak256, zeroAddress } from "viem";

import { voucher } from "./signing.ts";
import { as, GRACE, idOf, load, MAX_DEPOSIT, opened, PERMIT2, terms, timestamp } from "./world.ts";

describe("views", () => {
  describe("given no channel has this id", () => {
    it("it answers with nothing and UNKNOWN", async () => {
      const w = await load();
      const id = keccak256("0x");
      const nothing = {
        payer: zeroAddress,
        payee: zeroAddress,
        token: zeroAddress,
        authorizedSigner: zeroAddress,
        deposit: 0n,
        settled: 0n,
        closeRequestedAt: 0n,
        finalized: false,
      };
      assert.deepEqual(await w.channel.read.getChannel([id]), nothing);
      assert.equal(await w.channel.read.statusOf([id]), 0);
      assert.equal(await w.channel.read.isNonceUsed([id, 0n]), false);
      assert.equal(await w.channel.read.creditOf([w.payer.account.address, zeroAddress]), 0n);
    });
  });

  describe("given a channel lives", () => {
    it("it tells terms, amounts and status at every step", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      const { salt: _, ...parties } = c.terms;
      const expected = { ...parties, deposit: 10n, settled: 0n, closeRequestedAt: 0n, finalized: false };
      const told = async (change: Partial<typeof expected>, status: number) => {
        Object.assign(expected, change);
        assert.deepEqual(await w.channel.read.getChannel([c.id]), expected);
        assert.equal(await w.channel.read.statusOf([c.id]), status);
      };
      await told({}, 1);
      await w.channel.write.settle([c.id, 3n, await voucher(w.channel.address, w.hot, c.id, 3n)], as(w.payee));
      await told({ settled: 3n }, 1);
      await w.channel.write.requestClose([c.id], as(w.payer));
      await told({ closeRequestedAt: await timestamp() }, 2);
      await w.channel.write.topUp([c.id, 5n], as(w.payer));
      await told({ deposit: 15n, closeRequestedAt: 0n }, 1);
      await w.channel.write.close([c.id, 4n, await voucher(w.channel.address, w.hot, c.id, 4n)], as(w.payee));
      await told({ settled: 4n, finalized: true }, 3);
    });
  });

  describe("given terms differ in one place", () => {
    it("it gives another channel id", async () => {
      const w = await load();
      const t = terms(w);
      const other = w.stranger.account.address;
      const ids = [await idOf(w.channel, t), await idOf(w.faultyChannel, t)];
      for (const change of [
        { payer: other },
        { payee: other },
        { token: other },
        { salt: keccak256("0x03") },
        { authorizedSigner: other },
        { authorizedSigner: zeroAddress },
      ]) {
        ids.push(await idOf(w.channel, terms(w, { ...t, ...change })));
      }
      assert.equal(new Set(ids).size, ids.length);
    });
  });

  it("it tells its constants", async () => {
    const w = await load();
    assert.equal(await w.channel.read.CLOSE_GRACE_PERIOD(), GRACE);
    assert.equal(await w.channel.read.MAX_DEPOSIT(), MAX_DEPOSIT);
    assert.equal(await w.channel.read.PERMIT2(), PERMIT2);
    assert(isAddressEqual(await w.channel.read.registry(), w.registry.address));
    const [, name, version, chainId, verifyingContract] = await w.channel.read.eip712Domain();
    assert.deepEqual(
      [name, version, chainId, isAddressEqual(verifyingContract, w.channel.address)],
      ["EVM Payment Channel", "1", 31337n, true],
    );
  });
});
