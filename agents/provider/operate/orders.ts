import { type Chain, listWalletOffers, readOffer, readStream, type Sender } from "@clawcompute/lib/chain";
import type { Logger } from "@clawcompute/lib/node";
import type { Database } from "@clawcompute/lib/store";
import type { Address } from "viem";
import { z } from "zod";
import { setActive } from "../listing.ts";
import { type Collected, collectEarnings, type Earnings, readEarnings } from "./earnings.ts";

/** What an operator wants done with the wallet or the store of a provider. */
export const orderWire = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("earnings") }),
  z.object({ kind: z.literal("withdraw") }),
  z.object({ kind: z.literal("list"), ids: z.array(z.int().positive()).max(10_000), active: z.boolean() }),
]);
export type Order = z.infer<typeof orderWire>;

export interface Done {
  readonly earnings: readonly Earnings[];
  readonly collected: readonly Collected[];
  readonly left: readonly { readonly what: string; readonly amount: bigint }[];
  /** Offers whose listing was changed. */
  readonly changed: readonly number[];
}

/** Where orders are carried out: in the running provider, or by the command itself while none runs. */
export interface Desk {
  readonly chain: Chain;
  /** Undefined where nothing was ever stored. */
  readonly db: Database | undefined;
  readonly owner: Address;
  readonly logger: Logger;
  /** The wallet's next turn; nobody else sends meanwhile. Undefined sender: the key is elsewhere. */
  withSender<T>(signal: AbortSignal, work: (sender: Sender | undefined) => Promise<T>): Promise<T>;
}

const nothing: Done = { earnings: [], collected: [], left: [], changed: [] };

/** Throws WALLET_MISSING where the owner's key is needed and elsewhere, and what the chain refuses. */
export async function carryOut(desk: Desk, order: Order, signal: AbortSignal): Promise<Done> {
  const { chain, db, owner, logger } = desk;
  if (order.kind === "list") {
    const changed = await desk.withSender(signal, async (sender) => {
      const done: number[] = [];
      for (const id of order.ids) {
        const listing = { readOffer: (offer: number) => readOffer(chain, offer), sender, logger };
        if (await setActive(listing, id, order.active)) done.push(id);
      }
      return done;
    });
    return { ...nothing, changed };
  }
  const earn = async () => {
    const offers = await listWalletOffers(chain, owner);
    return readEarnings({ chain, db, payee: owner, assets: offers.map(({ asset }) => asset), signal });
  };
  if (order.kind === "earnings") return { ...nothing, earnings: await earn() };
  return await desk.withSender(signal, async (sender) => {
    const earnings = await earn();
    const { collected, left } = await collectEarnings(sender, owner, earnings, (id) => readStream(chain, id));
    return { ...nothing, earnings, collected, left };
  });
}
