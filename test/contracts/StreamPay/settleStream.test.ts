import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Hex } from "viem";
import { inAsset, key, recorded, shouldBehaveTheSameInEveryAsset, type World } from "./world.ts";

// The chain's accounts 2 and 6, whose keys sign here.
const PAYEE = key(2);
const SIGNER = key(6);
const STRANGER = key(5);

const settling = (w: World, id: bigint, owed: bigint, signature: Hex, from = w.parties.payer) =>
  w.call(from, "settleStream", [id, owed, signature]);
const settled = (id: bigint, paid: bigint, refunded: bigint) => ["StreamSettled", { id, paid, refunded }] as const;
const CLOSED = 3;

/** Settles for `owed` after `seconds` and expects exactly this split. */
async function settlesFor(w: World, id: bigint, owed: bigint, paid: bigint, refunded: bigint): Promise<void> {
  await w.expect(settling(w, id, owed, await w.sign(PAYEE, id, owed)), {
    events: paid === 0n ? [settled(id, paid, refunded)] : [settled(id, paid, refunded), w.credited("payee", paid)],
    balances: { payer: refunded },
    credits: { payee: paid },
  });
  assert.equal(await w.read("statusOf", [id]), CLOSED);
}

describe("settleStream", () => {
  shouldBehaveTheSameInEveryAsset((world) => {
    describe("given the stream never existed", () => {
      it("it reverts with UnknownStream", async () => {
        const w = world();
        await w.refuses(settling(w, 1n, 0n, await w.sign(PAYEE, 1n, 0n)), "StreamPay_UnknownStream", [1n]);
      });
    });

    describe("given the stream is closed", () => {
      it("it reverts with UnknownStream", async () => {
        const w = world();
        const id = await w.open();
        const signature = await w.sign(PAYEE, id, 0n);
        await w.chain.send(settling(w, id, 0n, signature));
        await w.refuses(settling(w, id, 0n, signature), "StreamPay_UnknownStream", [id]);
      });
    });

    describe("when the caller is not the payer", () => {
      it("it reverts with NotPayer", async () => {
        const w = world();
        const { payer, payee, stranger } = w.parties;
        const id = await w.open();
        const signature = await w.sign(PAYEE, id, 0n);
        for (const from of [payee, stranger])
          await w.refuses(settling(w, id, 0n, signature, from), "StreamPay_NotPayer", [id, from, payer]);
      });
    });

    describe("when the payee signed", () => {
      describe("when less is owed than accrued", () => {
        it("it pays exactly what is owed, between the seconds", async () => {
          const w = world();
          const id = await w.open();
          w.chain.pass(9);
          const owed = (w.rate * 42n) / 10n;
          await settlesFor(w, id, owed, owed, w.rate * 1_000n - owed);
        });
      });

      describe("when nothing is owed", () => {
        it("it refunds everything", async () => {
          const w = world();
          const id = await w.open();
          w.chain.pass(9);
          await settlesFor(w, id, 0n, 0n, w.rate * 1_000n);
        });
      });

      describe("when exactly what accrued is owed", () => {
        it("it pays what accrued", async () => {
          const w = world();
          const id = await w.open();
          w.chain.pass(9);
          await settlesFor(w, id, w.rate * 9n, w.rate * 9n, w.rate * 991n);
        });
      });

      describe("when more is owed than the clock says", () => {
        it("it pays what the clock says", async () => {
          const w = world();
          const id = await w.open();
          w.chain.pass(9);
          await settlesFor(w, id, w.rate * 9n + 1n, w.rate * 9n, w.rate * 991n);
        });
      });

      describe("when the largest number is owed", () => {
        it("it pays what the clock says", async () => {
          const w = world();
          const id = await w.open();
          w.chain.pass(9);
          await settlesFor(w, id, 2n ** 256n - 1n, w.rate * 9n, w.rate * 991n);
        });
      });

      describe("given a part was paid before", () => {
        it("it pays the difference", async () => {
          const w = world();
          const id = await w.open();
          w.chain.pass(4);
          await w.chain.send(w.call(w.parties.payee, "withdrawFromStream", [id]));
          w.chain.pass(5);
          const owed = w.rate * 4n + 1n;
          await settlesFor(w, id, owed, 1n, w.rate * 996n - 1n);
        });
      });

      describe("given a part was paid before and the clock allows less than is owed", () => {
        it("it pays what accrued since", async () => {
          const w = world();
          const id = await w.open();
          w.chain.pass(4);
          await w.chain.send(w.call(w.parties.payee, "withdrawFromStream", [id]));
          w.chain.pass(5);
          await settlesFor(w, id, w.rate * 10n, w.rate * 5n, w.rate * 991n);
        });
      });

      describe("given more was paid before than is owed", () => {
        it("it pays nothing more and refunds the rest", async () => {
          const w = world();
          const id = await w.open();
          w.chain.pass(4);
          await w.chain.send(w.call(w.parties.payee, "withdrawFromStream", [id]));
          w.chain.pass(5);
          await settlesFor(w, id, w.rate * 4n - 1n, 0n, w.rate * 996n);
        });
      });

      describe("given the stream was topped up", () => {
        it("it refunds the added deposit too", async () => {
          const w = world();
          const id = await w.open();
          w.chain.pass(9);
          await w.chain.send(w.toppingUp(id, w.rate * 50n));
          await settlesFor(w, id, w.rate * 2n, w.rate * 2n, w.rate * 1_048n);
        });
      });

      describe("given the stream is past its end", () => {
        it("it still pays only what is owed", async () => {
          const w = world();
          const id = await w.open();
          w.chain.pass(9_000);
          await settlesFor(w, id, w.rate * 600n, w.rate * 600n, w.rate * 400n);
        });
      });
    });

    describe("when the provider's signer signed", () => {
      describe("given it is the current signer", () => {
        it("it settles and records the payment", async () => {
          const w = world();
          const providerId = await w.provide();
          await w.setSigner(providerId, SIGNER.address);
          const id = await w.open({ providerId });
          w.chain.pass(9);
          const [owed, refunded] = [w.rate + 1n, w.rate * 999n - 1n];
          await w.expect(settling(w, id, owed, await w.sign(SIGNER, id, owed)), {
            events: [recorded(providerId, owed), settled(id, owed, refunded), w.credited("payee", owed)],
            balances: { payer: refunded },
            credits: { payee: owed },
          });
        });
      });

      describe("given it was replaced", () => {
        it("it reverts with BadSettlementSignature", async () => {
          const w = world();
          const providerId = await w.provide();
          await w.setSigner(providerId, SIGNER.address);
          const id = await w.open({ providerId });
          await w.setSigner(providerId, STRANGER.address);
          await w.refuses(settling(w, id, 1n, await w.sign(SIGNER, id, 1n)), "StreamPay_BadSettlementSignature", [id, 1n]);
        });
      });

      describe("given the stream names no provider", () => {
        it("it reverts with BadSettlementSignature", async () => {
          const w = world();
          const providerId = await w.provide();
          await w.setSigner(providerId, SIGNER.address);
          const id = await w.open();
          await w.refuses(settling(w, id, 1n, await w.sign(SIGNER, id, 1n)), "StreamPay_BadSettlementSignature", [id, 1n]);
        });
      });
    });

    describe("when somebody else signed", () => {
      it("it reverts with BadSettlementSignature", async () => {
        const w = world();
        const providerId = await w.provide();
        const id = await w.open({ providerId });
        for (const signer of [STRANGER, key(1)]) {
          await w.refuses(settling(w, id, 1n, await w.sign(signer, id, 1n)), "StreamPay_BadSettlementSignature", [id, 1n]);
        }
      });
    });

    describe("when another amount was signed", () => {
      it("it reverts with BadSettlementSignature", async () => {
        const w = world();
        const id = await w.open();
        await w.refuses(settling(w, id, 1n, await w.sign(PAYEE, id, 2n)), "StreamPay_BadSettlementSignature", [id, 1n]);
      });
    });

    describe("when another stream was signed", () => {
      it("it reverts with BadSettlementSignature", async () => {
        const w = world();
        await w.open();
        const id = await w.open();
        await w.refuses(settling(w, id, 1n, await w.sign(PAYEE, 1n, 1n)), "StreamPay_BadSettlementSignature", [id, 1n]);
      });
    });

    describe("when the signature is malformed", () => {
      it("it reverts with BadSettlementSignature", async () => {
        const w = world();
        const providerId = await w.provide();
        const id = await w.open({ providerId });
        const good = await w.sign(PAYEE, id, 1n);
        for (const bad of ["0x", good.slice(0, -2), `${good}00`, `${good.slice(0, -2)}1d`] as Hex[]) {
          await w.refuses(settling(w, id, 1n, bad), "StreamPay_BadSettlementSignature", [id, 1n]);
        }
      });
    });
  });

  describe("when the seller is a wallet contract", () => {
    const world = inAsset("native coin");

    describe("when its owner signed for it as payee", () => {
      it("it settles", async () => {
        const w = world();
        const wallet = await w.chain.deploy("ContractWallet", [STRANGER.address]);
        const id = await w.open({ recipient: wallet.address });
        w.chain.pass(9);
        const done = await w.chain.send(settling(w, id, 5n, await w.sign(STRANGER, id, 5n)));
        const events = w.chain.events(done, w.streamPay);
        assert.deepEqual(
          events.map(({ name }) => name),
          ["StreamSettled", "CreditAdded"],
        );
        assert.equal(await w.credit(wallet.address), 5n);
      });
    });

    describe("when its owner signed for it as signer", () => {
      it("it settles", async () => {
        const w = world();
        const wallet = await w.chain.deploy("ContractWallet", [STRANGER.address]);
        const providerId = await w.provide();
        await w.setSigner(providerId, wallet.address);
        const id = await w.open({ providerId });
        w.chain.pass(9);
        await w.expect(settling(w, id, 5n, await w.sign(STRANGER, id, 5n)), {
          events: [recorded(providerId, 5n), settled(id, 5n, w.rate * 1_000n - 5n), w.credited("payee", 5n)],
          balances: { payer: w.rate * 1_000n - 5n },
          credits: { payee: 5n },
        });
      });
    });

    describe("when somebody else signed for it", () => {
      it("it reverts with BadSettlementSignature", async () => {
        const w = world();
        const wallet = await w.chain.deploy("ContractWallet", [STRANGER.address]);
        const id = await w.open({ recipient: wallet.address });
        await w.refuses(settling(w, id, 5n, await w.sign(SIGNER, id, 5n)), "StreamPay_BadSettlementSignature", [id, 5n]);
      });
    });

    describe("given it is a key with delegated code", () => {
      it("it settles with the plain key's signature", async () => {
        const w = world();
        // The code that an EIP-7702 delegation leaves at an account; the delegate knows nothing of signatures.
        await w.chain.rpc("hardhat_setCode", [w.parties.payee, `0xef0100${w.registry.address.slice(2)}`]);
        const id = await w.open();
        w.chain.pass(9);
        await settlesFor(w, id, 5n, 5n, w.rate * 1_000n - 5n);
      });
    });
  });

  describe("when the payer cannot be paid", () => {
    const world = inAsset("native coin");
    it("it credits both parties", async () => {
      const w = world();
      await w.chain.send(w.through("contractPayer", w.opening()));
      await w.setMood("contractPayer", "REJECT");
      w.chain.pass(9);
      const refunded = w.rate * 1_000n - 5n;
      await w.expect(w.through("contractPayer", settling(w, 1n, 5n, await w.sign(PAYEE, 1n, 5n))), {
        events: [settled(1n, 5n, refunded), w.credited("payee", 5n), w.credited("contractPayer", refunded)],
        credits: { payee: 5n, contractPayer: refunded },
      });
    });
  });
});
