import type { Chain } from "./connect.ts";
import { reading } from "./reading.ts";

/** What a transaction offers for a unit of gas, in wei. `expected` is what it will probably pay. */
export type Fees =
  | { readonly kind: "dynamic"; readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint; readonly expected: bigint }
  | { readonly kind: "legacy"; readonly gasPrice: bigint; readonly expected: bigint };

/** Room for the base fee to double before the transaction is mined. */
export async function currentFees(chain: Pick<Chain, "client">): Promise<Fees> {
  const block = await reading(() => chain.client.getBlock());
  if (block.baseFeePerGas === null) {
    const gasPrice = await reading(() => chain.client.getGasPrice());
    return { kind: "legacy", gasPrice, expected: gasPrice };
  }
  const tip = await reading(() => chain.client.estimateMaxPriorityFeePerGas());
  return { kind: "dynamic", maxFeePerGas: block.baseFeePerGas * 2n + tip, maxPriorityFeePerGas: tip, expected: block.baseFeePerGas + tip };
}

/** Nodes take a replacement only if it offers at least 10 % more of everything; this offers 15 %, and never less than the market. */
export function raiseFees(previous: Fees, market: Fees): Fees {
  if (previous.kind === "legacy" || market.kind === "legacy") {
    const gasPrice = larger(raised(feeCap(previous)), feeCap(market));
    return { kind: "legacy", gasPrice, expected: gasPrice };
  }
  const maxPriorityFeePerGas = larger(raised(previous.maxPriorityFeePerGas), market.maxPriorityFeePerGas);
  const maxFeePerGas = larger(larger(raised(previous.maxFeePerGas), market.maxFeePerGas), maxPriorityFeePerGas);
  return { kind: "dynamic", maxFeePerGas, maxPriorityFeePerGas, expected: larger(raised(previous.expected), market.expected) };
}

/** The same, but never above `limit`. */
export function capFees(fees: Fees, limit: bigint | undefined): Fees {
  if (limit === undefined || feeCap(fees) <= limit) return fees;
  const expected = smaller(fees.expected, limit);
  if (fees.kind === "legacy") return { kind: "legacy", gasPrice: limit, expected };
  return { kind: "dynamic", maxFeePerGas: limit, maxPriorityFeePerGas: smaller(fees.maxPriorityFeePerGas, limit), expected };
}

/** The most it may pay for a unit of gas. */
export function feeCap(fees: Fees): bigint {
  return fees.kind === "legacy" ? fees.gasPrice : fees.maxFeePerGas;
}

const raised = (fee: bigint) => (fee * 115n + 99n) / 100n;
const larger = (a: bigint, b: bigint) => (a > b ? a : b);
const smaller = (a: bigint, b: bigint) => (a < b ? a : b);
