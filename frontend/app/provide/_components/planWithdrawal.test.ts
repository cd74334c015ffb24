import { zeroAddress } from "viem";
import { describe, expect, it } from "vitest";
import type { StreamEntry } from "@/queries/ledger.ts";
import { planWithdrawal } from "./planWithdrawal.ts";

const me = "0x00000000000000000000000000000000000000aa";
const token = "0x0000000000000000000000000000000000000099";
const stream = (id: bigint, asset: StreamEntry["asset"] = zeroAddress) => ({ id, asset }) as StreamEntry;
const names = (calls: ReturnType<typeof planWithdrawal>["calls"]) =>
  calls.map(({ contract, functionName, args }) => [contract, functionName, String(args[0])]);

describe("planWithdrawal", () => {
  it("behavior: one stream is withdrawn directly, beside what was set aside", () => {
    const { calls } = planWithdrawal(me, [stream(7n)], [{ contract: "paymentChannel", asset: zeroAddress, amount: 1n }]);
    expect(names(calls)).toEqual([
      ["streamPay", "withdrawFromStream", "7"],
      ["paymentChannel", "withdrawCredit", zeroAddress],
    ]);
  });

  it("behavior: many are credited in batches, then each asset is collected once", () => {
    const streams = Array.from({ length: 501 }, (_, index) => stream(BigInt(index + 1), index === 0 ? token : zeroAddress));
    const { calls } = planWithdrawal(me, streams, [{ contract: "streamPay", asset: zeroAddress, amount: 5n }]);
    expect(calls.map(({ functionName }) => functionName)).toEqual([
      "batchUpdateStreams",
      "batchUpdateStreams",
      "withdrawCredit",
      "withdrawCredit",
    ]);
    expect(calls.slice(0, 2).map(({ args }) => (args[0] as bigint[]).length)).toEqual([500, 1]);
    expect(calls.slice(2).map(({ args }) => args[0])).toEqual([token, zeroAddress]);
  });

  it("behavior: nothing is sent for nothing", () => expect(planWithdrawal(me, [], []).calls).toEqual([]));
});
