import { streamPayAbi } from "@clawcompute/lib/abi";
import { createWalletClient, http, parseEventLogs } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { account, startWorld, type World } from "./harness/world.ts";

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.stop());

test("a keeper completes a stream that its payer forgot; the payee gets the rest, the keeper 0.1 %, nothing is lost (P1, P15)", async () => {
  const { chain, client, payer } = world;
  const payee = account(7).address;
  const address = chain.network.contracts.streamPay;
  const wallet = createWalletClient({ account: payer, transport: http(chain.rpcUrl) });
  const open = async (value: bigint) => {
    const hash = await wallet.writeContract({
      chain: null,
      address,
      abi: streamPayAbi,
      functionName: "createStream",
      args: [payee, 2n, 0, 0n],
      value,
    });
    const { logs } = await client.waitForTransactionReceipt({ hash });
    const [created] = parseEventLogs({ abi: streamPayAbi, logs, eventName: "StreamCreated" });
    return created?.args.id as bigint;
  };
  const forgotten = await open(2n * 10n ** 18n);
  const dust = await open(2n * 10n ** 9n);
  const before = await world.balanceOf(account(4).address);

  const keeper = world.keeper({ KEEPER_EVERY_SECONDS: "1" });
  // The reward is on chain when the log says so; the dust stays for whoever wants it.
  await expect.poll(async () => (await world.ledger(forgotten)).ended, { timeout: 30_000, interval: 200 }).toBe(true);
  const ledger = await world.ledger(forgotten);
  expect(ledger.rewards).toBe(ledger.deposit / 1000n);
  expect(ledger.paid + ledger.refunded + ledger.rewards).toBe(ledger.deposit);
  expect(await world.creditOf(payee)).toBe(ledger.paid);
  expect(await world.balanceOf(account(4).address)).toBeGreaterThan(before);
  expect(await world.ledger(dust)).toMatchObject({ ended: false, rewards: 0n });

  await keeper.kill("SIGTERM");
  expect([await keeper.exited, keeper.output().includes("error")]).toEqual([0, false]);
});
