import { connectChain, createSender, readChannel, type Sender } from "@clawcompute/lib/chain";
import { steadyClock } from "@clawcompute/lib/node";
import { openStore } from "@clawcompute/lib/store";
import { devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import { type LocalAccount, zeroAddress } from "viem";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { openLedger } from "../ledger/storeLedger.ts";
import { nobodysOffer } from "../orphans.ts";
import type { Cover } from "../streams/cover.ts";
import { quiet } from "../testing/market.ts";
import { startGateway } from "../testing/startGateway.ts";
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

test("behavior: a channel of the books is closed after a restart, however long ago it was opened (P10)", async () => {
  const store = await openStore({});
  onTestFinished(() => store.close());
  const chain = connectChain(local.network);
  const ledger = openLedger({ db: store.db, chain, payer: payer.address, clock: steadyClock, logger: quiet });
  const moves = createChannelMoves({ chain, sender, clock: steadyClock, logger: quiet, onTransaction: () => {} });
  const offer = nobodysOffer({ payee: payee.address, asset: zeroAddress, ratePerSecond: 1n });
  const { id, deposit: depositWei, openedAtMs } = await moves.open(offer, DEPOSIT, payer.address);
  ledger.opened({ id, offer, ratePerSecond: 1n, depositWei, openedAtMs } as unknown as Cover, undefined);
  await ledger.flush();
  await local.mine(20);
  const later = { ...local, network: { ...local.network, isLocal: false } };
  const gateway = await startGateway(later, payer, { db: store.db, ledger, lookBackSeconds: 1 });
  await gateway.gateway.recovered.finally(gateway.stop);
  expect((await readChannel(chain, id)).status).toBe("closing");
});
