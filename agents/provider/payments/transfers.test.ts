import { openStore, type Store } from "@clawcompute/lib/store";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createTransfers, type Hold } from "./transfers.ts";

vi.setConfig({ hookTimeout: 60_000 });

let store: Store;
beforeAll(async () => {
  store = await openStore({});
});
afterAll(() => store?.close());

const intent = {
  asset: "0x0000000000000000000000000000000000000001",
  payer: "0x0000000000000000000000000000000000000002",
  sinceBlock: "1",
} as const;
const transfer = (key: string) => ({ key, payment: 7n, kind: "refund", amount: 5n, intent, nowMs: 1_000 }) as const;
const signedAs = (nonce: number) => ({ nonce, hash: `0x${String(nonce).padStart(64, "0")}` as const });

describe("createTransfers", () => {
  test("behavior: a process that was thought dead may send nothing more, nor undo what its successor does", async () => {
    const [slow, quick] = [createTransfers(store.db, 1), createTransfers(store.db, 1)];
    const sent: number[] = [];
    const send = async (hold: Hold, nonce: number) => {
      await hold.signed(signedAs(nonce));
      sent.push(nonce);
    };
    await slow.once(transfer("a"), async (first) => {
      const [left] = await quick.leftOver(1_000);
      if (!left) throw new Error("nothing is left over");
      await quick.giveUp(left, "released");
      await quick.once(transfer("a"), async (second) => {
        await expect(send(first, 1)).rejects.toMatchObject({ code: "IDEMPOTENCY_CONFLICT" });
        expect(await first.release()).toBe(true);
        await send(second, 2);
        // Signed: only the chain can say that it did not happen.
        expect(await second.release()).toBe(false);
      });
    });
    expect(sent).toEqual([2]);
    expect(await quick.leftOver(1_000)).toMatchObject([{ key: "a", state: "reserved", walletNonce: 2 }]);
  });

  test("behavior: what is under way here or was reserved just now is not left over", async () => {
    const transfers = createTransfers(store.db, 2);
    await transfers.once(transfer("b"), async () => {
      expect(await transfers.leftOver(1_000)).toEqual([]);
    });
    expect(await transfers.leftOver(999)).toEqual([]);
    expect(await transfers.leftOver(1_000)).toMatchObject([{ key: "b" }]);
  });

  test("behavior: of many at once, one does it, and it is done once", async () => {
    const both = [createTransfers(store.db, 3), createTransfers(store.db, 3)];
    let worked = 0;
    let counted = 0;
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        both[index % 2]?.once(transfer("c"), async () => {
          worked += 1;
        }),
      ),
    );
    const finished = await Promise.all(
      [0, 1, 0].map((index) =>
        both[index]?.finish("c", signedAs(3).hash, async () => {
          counted += 1;
        }),
      ),
    );
    expect([worked, counted, results.filter((result) => result && "mine" in result).length]).toEqual([1, 1, 1]);
    expect(finished.filter(Boolean)).toHaveLength(1);
    expect(await both[0]?.isTaken(signedAs(3).hash)).toBe(true);
  });
});
