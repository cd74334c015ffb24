import type { Chain } from "./connect.ts";
import { decodeRevert } from "./reverts.ts";

/** Chain time in unix ms: the latest block's timestamp. */
export async function chainTimeMs(chain: Chain): Promise<number> {
  const block = await reading(() => chain.client.getBlock());
  return Number(block.timestamp) * 1000;
}

/** Runs a read; whatever it throws becomes an AppError. */
export async function reading<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (thrown) {
    throw decodeRevert(thrown);
  }
}
