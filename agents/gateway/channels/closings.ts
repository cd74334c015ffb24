import { type Chain, chainTimeMs, readChannel } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { Logger } from "@clawcompute/lib/node";
import type { Bill } from "../bill.ts";
import type { ChannelMoves, OpenChannel } from "./channelMoves.ts";

/** Channels whose payer has given notice: closed by the provider when it sees that, or by the payer when the notice is over. */
export interface Closings {
  /** Gives notice, unless it was given before. The bill comes when the chain has closed the channel. Throws what the transaction does. */
  begin(channel: Pick<OpenChannel, "id" | "openBlock">, moves: ChannelMoves): Promise<{ readonly bill: Promise<Bill> }>;
  has(id: string): boolean;
  /** One look at each. */
  tick(): Promise<void>;
}

interface Pending {
  readonly channel: Pick<OpenChannel, "id" | "openBlock">;
  readonly moves: ChannelMoves;
  readonly done: (bill: Bill) => void;
}

/** Of the contract. */
export const GRACE_SECONDS = 900;

export function createClosings({ chain, logger }: { chain: Chain; logger: Logger }): Closings {
  const pending = new Map<string, Pending>();

  async function look({ channel, moves, done }: Pending, nowSeconds: number): Promise<void> {
    const { status, closeRequestedAt } = await readChannel(chain, channel.id);
    if (status !== "closed") {
      // A top-up that was under way took the notice back.
      if (status === "open") return moves.requestClose(channel.id);
      if (nowSeconds < closeRequestedAt + GRACE_SECONDS) return;
      await moves.withdraw(channel.id);
    }
    const bill = await moves.bill(channel);
    pending.delete(channel.id);
    logger.info({ channelId: channel.id, paidWei: String(bill.paidWei), refundedWei: String(bill.refundedWei) }, "channel closed");
    done(bill);
  }

  return {
    begin: async (channel, moves) => {
      const { status } = await readChannel(chain, channel.id);
      if (status === "open") await moves.requestClose(channel.id);
      return { bill: new Promise((done) => pending.set(channel.id, { channel, moves, done })) };
    },
    has: (id) => pending.has(id),
    tick: async () => {
      if (pending.size === 0) return;
      const nowSeconds = Math.floor((await chainTimeMs(chain)) / 1000);
      for (const one of [...pending.values()]) {
        await look(one, nowSeconds).catch((thrown: unknown) => {
          logger.warn({ channelId: one.channel.id, code: AppError.from(thrown).code }, "a channel cannot be closed yet; trying again");
        });
      }
    },
  };
}
