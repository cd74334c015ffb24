import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { keccak256, zeroAddress } from "viem";

import { voucher } from "./signing.ts";
import { as, load, opened, timestamp } from "./world.ts";

describe("getChannel", () => {
  describe("given no channel has this id", () => {
    it("it answers with nothing", async () => {
      const w = await load();
      const nobody = { payer: zeroAddress, payee: zeroAddress, token: zeroAddress, authorizedSigner: zeroAddress };
      const nothing = { ...nobody, deposit: 0n, settled: 0n, closeRequestedAt: 0n, finalized: false };
      assert.deepEqual(await w.channel.read.getChannel([keccak256("0x")]), nothing);
    });
  });

  describe("given a channel lives", () => {
    it("it tells terms and amounts at every step", async () => {
      const w = await load();
      const c = await opened(w, 10n);
      const { salt: _, ...parties } = c.terms;
      const expected = { ...parties, deposit: 10n, settled: 0n, closeRequestedAt: 0n, finalized: false };
      const told = async (change: Partial<typeof expected>) => {
        Object.assign(expected, change);
        assert.deepEqual(await w.channel.read.getChannel([c.id]), expected);
      };
      await told({});
      await w.channel.write.settle([c.id, 3n, await voucher(w.channel.address, w.hot, c.id, 3n)], as(w.payee));
      await told({ settled: 3n });
      await w.channel.write.requestClose([c.id], as(w.payer));
      await told({ closeRequestedAt: await timestamp() });
      await w.channel.write.topUp([c.id, 5n], as(w.payer));
      await told({ deposit: 15n, closeRequestedAt: 0n });
      await w.channel.write.close([c.id, 4n, await voucher(w.channel.address, w.hot, c.id, 4n)], as(w.payee));
      await told({ settled: 4n, finalized: true });
    });
  });
});
