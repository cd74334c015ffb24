import { zeroAddress } from "viem";

import type { Row } from "../chain.ts";
import { ratePerSecond, type Setting, setting } from "./setting.ts";

const duration = 1_000_000n;
const deposit = ratePerSecond * duration;
const goals: Record<string, string> = {
  "createStream, native, with the registry's check": "<= 82500",
  "createStream, ERC-20": "<= 123000",
  "withdrawFromStream, native": "<= 39500",
  "cancelStream, native, credit warm": "<= 42000",
  "batchUpdateStreams, per stream, N=100, one payee": "<= 11200",
  "batchUpdateStreams, per stream, N=100, all complete": "<= 13000",
};

class Streams {
  readonly s: Setting;
  /** The asset of the next rows. */
  native = true;

  constructor(s: Setting) {
    this.s = s;
  }

  measure(
    operation: string,
    from: keyof Pick<Setting, "payer" | "payee" | "keeper">,
    fn: string,
    args: unknown[],
    more: { value?: bigint; n?: number } = {},
  ) {
    const goal = goals[operation];
    return this.s.chain.measure(operation, this.s[from], this.s.streamPay, fn, args, { ...more, ...(goal === undefined ? {} : { goal }) });
  }

  async create(how: { operation?: string; providerId?: bigint; seconds?: bigint } = {}): Promise<bigint> {
    const { chain, streamPay, payer, payee, token } = this.s;
    const seconds = how.seconds ?? duration;
    const amount = ratePerSecond * seconds;
    const args = [...(this.native ? [] : [token.address, amount]), payee, seconds, 0, how.providerId ?? 0n];
    const value = this.native ? amount : 0n;
    if (how.operation === undefined) await chain.send(payer, streamPay, "createStream", args, value);
    else await this.measure(how.operation, "payer", "createStream", args, { value });
    return chain.read<bigint>(streamPay, "getProtocolStats");
  }

  async batch(n: number, how: { operation: string; seconds?: bigint; providerId?: bigint; wait: number; warm?: boolean }): Promise<void> {
    const { chain, streamPay, keeper } = this.s;
    const ids: bigint[] = [];
    for (let i = 0; i < n; i++)
      ids.push(
        await this.create(
          how.seconds === undefined ? { providerId: how.providerId ?? 0n } : { seconds: how.seconds, providerId: how.providerId ?? 0n },
        ),
      );
    if (how.warm !== false) {
      await chain.warp(1000);
      await chain.send(keeper, streamPay, "batchUpdateStreams", [ids]);
    }
    await chain.warp(how.wait);
    await this.measure(how.operation, "keeper", "batchUpdateStreams", [ids], { n });
  }
}

/** The streams' rows, without a provider id unless the name says so. */
export async function streams(): Promise<Row[]> {
  const s = await setting();
  const { chain, registry, payer, payee, token } = s;
  const streams = new Streams(s);
  for (const native of [true, false]) {
    streams.native = native;
    const kind = native ? "native" : "ERC-20";
    const offer = ["model", ratePerSecond, "https://provider.example", 0];
    await chain.send(payee, registry, "registerProvider", native ? offer : [...offer, token.address]);
    const [providerId] = await chain.read<[bigint, bigint]>(registry, "getRegistryStats");

    await streams.create({ providerId });
    const a = await streams.create({ operation: `createStream, ${kind}` });
    await streams.create({ operation: `createStream, ${kind}, with the registry's check`, providerId });
    const extra = ratePerSecond * 1000n;
    await streams.measure(`topUpStream, ${kind}`, "payer", "topUpStream", native ? [a, payer, payee] : [a, payer, payee, extra], {
      value: native ? extra : 0n,
    });
    await chain.warp(1000);
    await streams.measure(`withdrawFromStream, ${kind}`, "payee", "withdrawFromStream", [a]);
    await chain.warp(1000);
    await streams.measure(`cancelStream, ${kind}, first credit`, "payer", "cancelStream", [a]);
    const b = await streams.create();
    await chain.warp(1000);
    await streams.measure(`cancelStream, ${kind}, credit warm`, "payer", "cancelStream", [b]);
    const recorded = await streams.create({ providerId });
    await chain.warp(1000);
    await chain.send(payer, s.streamPay, "cancelStream", [recorded]);
    const again = await streams.create({ providerId });
    await chain.warp(1000);
    await streams.measure(`cancelStream, ${kind}, credit warm, recording the completion`, "payer", "cancelStream", [again]);
    const moved = await streams.create({ providerId });
    await chain.warp(1000);
    await streams.measure(`redirectStream, ${kind}, with the registry's check`, "payer", "redirectStream", [moved, payee, providerId]);

    const per = `batchUpdateStreams, per stream,`;
    const suffix = native ? "" : ", ERC-20";
    for (const n of [1, 10, 100]) await streams.batch(n, { operation: `${per} N=${n}, one payee${suffix}`, wait: 1000 });
    await streams.batch(100, { operation: `${per} N=100, one payee, one provider${suffix}`, wait: 1000, providerId });
    await streams.batch(100, { operation: `${per} N=100, all complete${suffix}`, seconds: 5000n, wait: 5000 });
    await streams.measure(`withdrawCredit, ${kind}`, "payee", "withdrawCredit", [native ? zeroAddress : token.address, payee]);
  }
  await chain.close();
  return chain.rows;
}

export const streamDeposit = deposit;
