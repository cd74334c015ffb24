import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { permit } from "./tokenSignatures.ts";
import { build, fresh, type World } from "./world.ts";

type Permit = Awaited<ReturnType<typeof permit>>;

const opening = (w: World, amount: bigint, { deadline, v, r, s }: Permit, more: { providerId?: bigint; asset?: string } = {}) =>
  w.call(w.parties.payer, "createStreamWithPermit", [
    ...[more.asset ?? w.asset, amount, w.parties.payee, 1_000n, 0, more.providerId ?? 0n],
    ...[deadline, v, r, s],
  ]);

const approve = async (w: World, amount: bigint) => {
  assert(w.token);
  await w.chain.send({ from: w.parties.payer, to: w.token, fn: "approve", args: [w.streamPay.address, amount] });
};

const allowance = async (w: World) => {
  assert(w.token);
  return w.chain.read<bigint>(w.token, "allowance", [w.parties.payer, w.streamPay.address]);
};

describe("createStreamWithPermit", () => {
  for (const kind of ["18 decimals", "6 decimals"] as const) {
    describe(`in ${kind}`, () => {
      const world = fresh(() => build(kind));

      describe("when the permit is good", () => {
        it("it opens the stream without an earlier approval", async () => {
          const w = world();
          await approve(w, 0n);
          const providerId = await w.provide();
          const deposit = w.rate * 1_000n;
          await w.expect(opening(w, deposit + 9n, await permit(w, deposit + 9n), { providerId }), {
            events: [w.created(1n, { providerId })],
            balances: { payer: -deposit },
          });
          assert.equal(await allowance(w), 9n);
        });
      });

      describe("given somebody sent the permit first", () => {
        it("it opens the stream all the same", async () => {
          const w = world();
          assert(w.token);
          await approve(w, 0n);
          const deposit = w.rate * 1_000n;
          const { deadline, v, r, s } = await permit(w, deposit);
          const args = [w.parties.payer, w.streamPay.address, deposit, deadline, v, r, s];
          await w.chain.send({ from: w.parties.stranger, to: w.token, fn: "permit", args });
          const call = opening(w, deposit, { deadline, v, r, s });
          await w.expect(call, { events: [w.created(1n)], balances: { payer: -deposit } });
        });
      });

      describe("when the permit is bad and there is no allowance", () => {
        it("it reverts with the token's error", async () => {
          const w = world();
          await approve(w, 0n);
          const deposit = w.rate * 1_000n;
          const late = await permit(w, deposit, w.chain.now - 1n);
          await w.refuses(opening(w, deposit, late), "ERC20InsufficientAllowance", [w.streamPay.address, 0n, deposit]);
        });
      });

      describe("when the asset has no code", () => {
        it("it reverts with AssetNotContract", async () => {
          const w = world();
          const asset = w.parties.stranger;
          await w.refuses(opening(w, 1_000n, await permit(w, 1_000n), { asset }), "StreamPay_AssetNotContract", [asset]);
        });
      });
    });
  }

  describe("given the token knows no permits", () => {
    const world = fresh(() => build("no return value"));
    it("it opens the stream from the allowance", async () => {
      const w = world();
      const nothing = { deadline: 0n, v: 27, r: `0x${"11".repeat(32)}`, s: `0x${"22".repeat(32)}` } as const;
      const deposit = w.rate * 1_000n;
      await w.expect(opening(w, deposit, nothing), { events: [w.created(1n)], balances: { payer: -deposit } });
    });
  });
});
