import { existsSync } from "node:fs";
import { createSender } from "@clawcompute/lib/chain";
import { createWriterLock, openStore, type Store } from "@clawcompute/lib/store";
import type { LocalAccount } from "viem";
import { dataFolder, walletKey } from "../dataFolder.ts";
import { createOutbox } from "../outbox.ts";
import { holdFolder, leaveOrder } from "./orderSocket.ts";
import { carryOut, type Desk, type Done, type Order } from "./orders.ts";

export interface DeskOptions extends Pick<Desk, "chain" | "owner" | "logger"> {
  readonly databaseUrl: string | undefined;
  readonly dataDir: string | undefined;
  readonly listenPort: number;
  readonly ownerAccount: LocalAccount | undefined;
}

/**
 * Has an order carried out where the wallet's transactions are: on the PostgreSQL server that replicas share, in turn with them; by
 * the running provider that has the embedded store; or by this process, which then has the store itself. So no two send at once.
 */
export async function submit(options: DeskOptions, order: Order, signal: AbortSignal): Promise<Done> {
  const { databaseUrl } = options;
  if (databaseUrl) {
    const store = await openStore({ databaseUrl });
    return await byOurselves(options, order, signal, store).finally(() => store.close());
  }
  const folder = dataFolder(options);
  if (folder === undefined || !existsSync(folder)) return await byOurselves(options, order, signal, undefined);
  const done = await leaveOrder(folder, order, signal);
  if (done) return done;
  const held = await holdFolder(folder);
  try {
    const store = await openStore({ folder });
    return await byOurselves(options, order, signal, store).finally(() => store.close());
  } finally {
    await held.release();
  }
}

async function byOurselves(options: DeskOptions, order: Order, signal: AbortSignal, store: Store | undefined): Promise<Done> {
  const { chain, owner, ownerAccount, logger, databaseUrl } = options;
  const db = store?.db;
  const plain = ownerAccount && createSender({ chain, account: ownerAccount, logger });
  const outbox = plain && db && createOutbox({ db, chain, logger, sender: plain });
  const lock = store?.kind === "server" ? createWriterLock(databaseUrl, walletKey(owner)) : undefined;
  const withSender: Desk["withSender"] = async (signal, work) => {
    if (!outbox) return await work(plain);
    const held = await lock?.acquire(signal);
    try {
      await outbox.finishEarlier(signal);
      return await work(outbox.sender);
    } finally {
      await held?.release();
    }
  };
  return await carryOut({ chain, db, owner, logger, withSender }, order, signal);
}
