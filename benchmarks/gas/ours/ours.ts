import type { Row } from "../chain.ts";
import { channels } from "./channels.ts";
import { registry } from "./registry.ts";
import { streams } from "./streams.ts";

/** Every row of the suite `ClawCompute`; a check leaves the largest market out, which takes most of the time. */
export async function ours(markets: readonly number[] = [10, 1_000, 100_000]): Promise<Row[]> {
  return [...(await streams()), ...(await channels()), ...(await registry(markets))];
}
