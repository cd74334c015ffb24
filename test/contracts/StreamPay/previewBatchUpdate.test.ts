import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inAsset, reward, shouldBehaveTheSameInEveryAsset, type World } from "./world.ts";

type Preview = readonly [previews: readonly { accrued: bigint; reward: bigint; completes: boolean }[], nativeReward: bigint];

const preview = (w: World, ids: readonly bigint[]) => w.read<Preview>("previewBatchUpdate", [ids]);
const NOTHING = { accrued: 0n, reward: 0n, completes: false };

describe("previewBatchUpdate", () => {
  describe("when there are more than 500 ids", () => {
    const world = inAsset("native coin");
    it("it reverts with TooManyIds", async () => {
      await assert.rejects(preview(world(), Array(501).fill(1n)), { errorName: "StreamPay_TooManyIds", args: [501n, 500n] });
    });
  });

  shouldBehaveTheSameInEveryAsset((world) => {
    describe("when an id is unknown, closed or empty", () => {
      it("it shows nothing for it", async () => {
        const w = world();
        const closed = await w.open();
        await w.chain.send(w.call(w.parties.payer, "cancelStream", [closed]));
        const empty = await w.open();
        assert.deepEqual(await preview(w, [0n, closed, empty, 99n]), [[NOTHING, NOTHING, NOTHING, NOTHING], 0n]);
      });
    });

    describe("when an id is there twice", () => {
      it("it shows nothing the second time", async () => {
        const w = world();
        const id = await w.open();
        w.chain.pass(10);
        const accrued = w.rate * 10n;
        const shown = { accrued, reward: reward(accrued), completes: false };
        assert.deepEqual(await preview(w, [id, 0n, id, id]), [[shown, NOTHING, NOTHING, NOTHING], w.native ? reward(accrued) : 0n]);
      });
    });

    describe("when several streams accrued", () => {
      it("it shows exactly what the update then does", async () => {
        const w = world();
        const ids = [await w.open(), await w.open({ duration: 10n }), await w.open({ rate: 999n, duration: 11n })];
        w.chain.pass(10);
        const [previews, nativeReward] = await preview(w, ids);
        const accrued = [w.rate * 10n, w.rate * 10n, 9_990n];
        assert.deepEqual(previews, [
          { accrued: accrued[0], reward: reward(accrued[0] ?? 0n), completes: false },
          { accrued: accrued[1], reward: reward(accrued[1] ?? 0n), completes: true },
          { accrued: accrued[2], reward: 9n, completes: false },
        ]);
        const rewards = previews.reduce((sum, shown) => sum + shown.reward, 0n);
        assert.equal(nativeReward, w.native ? rewards : 0n);
        const before = await w.balanceOf(w.parties.keeper);
        await w.chain.send(w.call(w.parties.keeper, "batchUpdateStreams", [ids]));
        assert.equal((await w.balanceOf(w.parties.keeper)) - before, rewards);
      });
    });
  });
});
