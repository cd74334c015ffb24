import { createSender, readStream, streamPayWrites } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { systemClock } from "@clawcompute/lib/node";
import { type Settlement, signSettlement } from "@clawcompute/lib/protocol";
import { createFakeClock, devAccounts } from "@clawcompute/lib/testing";
import type { LocalAccount } from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeBill } from "./bill.ts";
import { createPayment, type OpenStream, type Payment } from "./payment.ts";
import { type Market, openMarket, quiet } from "./testing/market.ts";
import { domainOf } from "./verify.ts";

const owner = devAccounts[1] as LocalAccount;
const other = devAccounts[8] as LocalAccount;
const price = 1_000_000_000_000n;
let market: Market;
let providerId: number;

beforeAll(async () => {
  market = await openMarket();
  providerId = (await market.provide({ price })).offer.id;
}, 60_000);
afterAll(() => market.close());

const newPayment = () => createPayment({ chain: market.chain, sender: market.sender, clock: systemClock, logger: quiet });
const { readOffer } = await import("@clawcompute/lib/chain");
const open = async (payment: Payment, seconds = 60): Promise<OpenStream> =>
  payment.open(await readOffer(market.chain, providerId), seconds);
const settlementOf = async ({ id: streamId }: OpenStream, owed: bigint, signer = owner): Promise<Settlement> => ({
  streamId,
  owed,
  signature: await signSettlement(signer, domainOf(market.chain), { streamId, owed }),
});
const billOf = (payment: Payment, stream: OpenStream) => makeBill(market.chain, [stream], payment.transactions);

/** Sends as somebody else, and mines it. */
async function sendAs(account: LocalAccount, call: Parameters<typeof market.sender.send>[0]): Promise<void> {
  const sender = createSender({ chain: market.chain, account, logger: quiet });
  await sender.send(call, { onSent: () => void market.local.mine() });
}

describe("createPayment", () => {
  it("behavior: id and terms come from the event, the deposit is price times seconds", async () => {
    const payment = newPayment();
    const stream = await open(payment, 7);
    const state = await readStream(market.chain, stream.id);
    expect(stream).toMatchObject({ ratePerSecond: price, deposit: 7n * price, start: state.start, end: state.start + 7 });
    expect(state.payer).toBe(market.payer.address);
    await payment.end(stream);
  });

  it("behavior: ended in the second it was opened in, the call still has the gas for the next block", async () => {
    const payment = newPayment();
    const stream = await open(payment);
    await payment.end(stream, await settlementOf(stream, 1_500_000_000n));
    expect((await billOf(payment, stream)).paidWei).toBe(1_500_000_000n);
    expect(payment.transactions.map(({ kind }) => kind)).toEqual(["open", "settle"]);
  });

  it("behavior: a settlement that the chain refuses ends in a cancel", async () => {
    const payment = newPayment();
    const stream = await open(payment);
    await payment.end(stream, await settlementOf(stream, 1n, other));
    expect(payment.transactions.map(({ kind }) => kind)).toEqual(["open", "cancel"]);
    const bill = await billOf(payment, stream);
    expect(bill.paidWei + bill.refundedWei).toBe(bill.depositWei);
  });

  it("behavior: the payee ended it first: resolves, and the bill says what happened", async () => {
    const payment = newPayment();
    const stream = await open(payment);
    await market.local.advance(3);
    await sendAs(owner, streamPayWrites.cancelStream(stream.id));
    await payment.end(stream, await settlementOf(stream, 0n));
    const bill = await billOf(payment, stream);
    expect(payment.transactions).toHaveLength(1);
    expect(bill.paidWei).toBeGreaterThanOrEqual(3n * price);
    expect(bill.paidWei + bill.refundedWei).toBe(60n * price);
  });

  it("behavior: a keeper completed it after its end: everything was paid", async () => {
    const payment = newPayment();
    const stream = await open(payment, 5);
    await market.local.advance(10);
    await sendAs(other, streamPayWrites.batchUpdateStreams([stream.id]));
    await payment.end(stream);
    expect(await billOf(payment, stream)).toMatchObject({ depositWei: 5n * price, paidWei: 5n * price, refundedWei: 0n });
  });

  it("behavior: a withdrawal, a keeper's update and somebody's top-up are all in the bill", async () => {
    const payment = newPayment();
    const stream = await open(payment);
    await market.local.advance(5);
    await sendAs(owner, streamPayWrites.withdrawFromStream(stream.id));
    await market.local.advance(5);
    await sendAs(other, streamPayWrites.batchUpdateStreams([stream.id]));
    await sendAs(
      other,
      streamPayWrites.topUpStream({ id: stream.id, payer: market.payer.address, recipient: owner.address, value: 10n * price }),
    );
    await payment.end(stream, await settlementOf(stream, 1n));
    const bill = await billOf(payment, stream);
    expect(bill.depositWei).toBe(70n * price);
    expect(bill.paidWei).toBeGreaterThanOrEqual(10n * price);
    expect(bill.paidWei + bill.refundedWei).toBe(bill.depositWei);
  });

  it("error: an unreachable chain is tried until the limit, an uncertain outcome never", async () => {
    const stream = { id: 1n } as OpenStream;
    const calls: string[] = [];
    const failing = (code: string) => {
      const clock = createFakeClock();
      const send = async () => {
        calls.push(code);
        throw new AppError(code, "x");
      };
      const ended = createPayment({
        chain: market.chain,
        sender: { ...market.sender, send },
        clock,
        logger: quiet,
        endWithinMs: 2_000,
      }).end(stream);
      return { ended, clock };
    };
    const uncertain = failing("TRANSACTION_UNCERTAIN");
    await expect(uncertain.ended).rejects.toMatchObject({ code: "TRANSACTION_UNCERTAIN" });
    expect(calls).toEqual(["TRANSACTION_UNCERTAIN"]);
    const { ended, clock } = failing("CHAIN_UNAVAILABLE");
    const outcome = expect(ended).rejects.toMatchObject({ code: "CHAIN_UNAVAILABLE" });
    await clock.tick(60_000);
    await outcome;
    expect(calls).toHaveLength(6);
  });
});
