import { connectChain, createSender, readChannel, type Sender } from "@clawcompute/lib/chain";
import { steadyClock } from "@clawcompute/lib/node";
import { devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import { type LocalAccount, zeroAddress } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { nobodysOffer } from "../orphans.ts";
import { quiet } from "../testing/market.ts";
import { createChannelMoves } from "./channelMoves.ts";
import { createClosings, GRACE_SECONDS } from "./closings.ts";

const [payee, payer] = [devAccounts[1], devAccounts[5]] as readonly LocalAccount[] as [LocalAccount, LocalAccount];
const DEPOSIT = 10n ** 15n;
let local: LocalChain;
let sender: Sender;

beforeAll(async () => {
  local = await startLocalChain({ blockTimeMs: 200 });
  sender = createSender({ chain: connectChain(local.network), account: payer, logger: quiet });
});
afterAll(() => local?.stop());

test("behavior: a top-up that was mined after the notice takes it back; notice is given again, and all comes back (P2)", async () => {
  const chain = connectChain(local.network);
  const moves = createChannelMoves({ chain, sender, clock: steadyClock, logger: quiet, onTransaction: () => {} });
  const offer = nobodysOffer({ payee: payee.address, asset: zeroAddress, ratePerSecond: 1n });
  const channel = await moves.open(offer, DEPOSIT, payer.address);
  const closings = createClosings({ chain, logger: quiet });
  const { bill } = await closings.begin(channel, moves);
  await moves.topUp(channel, DEPOSIT);
  expect((await readChannel(chain, channel.id)).status).toBe("open");
  await closings.tick();
  expect((await readChannel(chain, channel.id)).status).toBe("closing");
  await local.advance(GRACE_SECONDS + 1);
  await closings.tick();
  expect((await readChannel(chain, channel.id)).status).toBe("closed");
  expect(await bill).toMatchObject({ paidWei: 0n, refundedWei: 2n * DEPOSIT });
});
